// The rules of releases: which version is newer, which manifest may be taken, what is remembered.
#include "core/release.hpp"

#include <algorithm>

#include "core/release_text.hpp"

namespace pfx::release {

namespace {

std::string quoted(const std::string& word) { return "\"" + printable(word, 80) + "\""; }

} // namespace

std::string to_string(const version& value) {
  return std::to_string(value.parts[0]) + "." + std::to_string(value.parts[1]) + "."
    + std::to_string(value.parts[2]);
}

result<version> version_from(std::string_view text) {
  version out;
  std::string_view rest = text;
  for (std::size_t at = 0; at < out.parts.size(); ++at) {
    const bool last = at + 1 == out.parts.size();
    const auto dot = last ? std::string_view::npos : rest.find('.');
    const auto part = detail::whole_number(rest.substr(0, dot), version_part_max);
    if (!part || (!last && dot == std::string_view::npos)) {
      return failure(errc::bad_input, "version",
                     "must be three numbers up to " + std::to_string(version_part_max)
                       + " with dots between them");
    }
    out.parts[at] = static_cast<std::uint32_t>(*part);
    rest.remove_prefix(last ? rest.size() : dot + 1);
  }
  return out;
}

seen seen_of(const manifest& value) { return {value.what, value.length, value.hash}; }

result<standing> judge(const manifest& offered, const expectation& here,
                       const std::optional<seen>& highest) {
  if (offered.product != here.product) {
    return failure(errc::policy, "product", "is " + quoted(offered.product));
  }
  if (offered.platform != here.platform) {
    return failure(errc::policy, "platform", "is " + quoted(offered.platform));
  }
  if (here.now < offered.valid_from) {
    return failure(errc::policy, "valid-from",
                   "is not valid before " + to_rfc3339(offered.valid_from));
  }
  if (here.now >= offered.expires) {
    return failure(errc::policy, "expires", "expired at " + to_rfc3339(offered.expires));
  }
  if (highest && offered.what < highest->what) {
    return failure(errc::policy, "version",
                   to_string(offered.what) + " is older than " + to_string(highest->what)
                     + ", which was seen before");
  }
  if (highest && offered.what == highest->what && seen_of(offered) != *highest) {
    return failure(errc::conflict, "sha256",
                   "version " + to_string(offered.what) + " was seen with another content before");
  }
  if (offered.what < here.installed) {
    return failure(errc::policy, "version",
                   to_string(offered.what) + " is older than " + to_string(here.installed)
                     + ", which is installed");
  }
  return offered.what == here.installed ? standing::installed : standing::newer;
}

std::optional<seen> remembered_under(const root& next, const root& before,
                                     const std::optional<seen>& highest) {
  const auto kept = static_cast<std::uint32_t>(std::count_if(
    before.releases.keys.begin(), before.releases.keys.end(), [&next](const role_key& old) {
      return std::any_of(next.releases.keys.begin(), next.releases.keys.end(),
                         [&old](const role_key& one) { return one.key == old.key; });
    }));
  const auto removed = static_cast<std::uint32_t>(before.releases.keys.size()) - kept;
  const bool could_sign_alone = removed >= before.releases.threshold;
  return could_sign_alone || kept < next.releases.threshold ? std::nullopt : highest;
}

bool is_word(std::string_view text) noexcept {
  return !text.empty() && text.size() <= word_characters_max && text[0] >= 'a' && text[0] <= 'z'
    && std::all_of(text.begin(), text.end(), [](char c) {
         return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
       });
}

std::string root_file_name(std::uint32_t number) { return std::to_string(number) + ".root"; }

std::string manifest_file_name(std::string_view product, std::string_view platform) {
  return std::string(product).append("_").append(platform).append(".manifest");
}

std::string package_file_name(const manifest& of) {
  return of.product + "_" + to_string(of.what) + "_" + of.platform + ".tar";
}

} // namespace pfx::release
