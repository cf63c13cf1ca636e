// Strict readers of the names that may be certified; see the header for what each refuses.
#include "actors/tasks/allowed_names.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "crypto/name.hpp"

namespace pfx::actors::tasks {

namespace {

constexpr std::size_t host_octets_max = 253; // RFC 1035 2.3.4
constexpr std::size_t label_octets_max = 63;
constexpr std::size_t sub_authorities_max = 15; // MS-DTYP 2.4.2

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }

/// What lies inside the SEQUENCE of a DER Name: its RDNs, most general first.
byte_view relative_names(const bytes& name) {
  if (name.size() < 2) {
    return {};
  }
  const std::size_t length_octets = name[1] < 0x80 ? 0 : name[1] & 0x7fU;
  const auto view = byte_view(name);
  return name.size() < 2 + length_octets ? byte_view{} : view.subspan(2 + length_octets);
}

} // namespace

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

// -- hosts ------

bool is_host(std::string_view host) {
  if (host.empty() || host.size() > host_octets_max) {
    return false;
  }
  std::string_view label;
  for (std::size_t start = 0; start <= host.size(); start += label.size() + 1) {
    label = host.substr(start, host.find('.', start) - start);
    const bool shaped = !label.empty() && label.size() <= label_octets_max && label.front() != '-'
      && label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
           return is_letter(c) || is_digit(c) || c == '-';
         });
    if (!shaped) {
      return false;
    }
  }
  return !std::all_of(label.begin(), label.end(), is_digit);
}

bool host_allowed(std::string_view host, const std::vector<std::string>& suffixes) {
  const std::string name = lowered(host);
  return std::any_of(suffixes.begin(), suffixes.end(), [&name](const std::string& allowed) {
    const std::string suffix = lowered(allowed);
    if (suffix.empty() || suffix == ".") {
      return false;
    }
    return suffix.front() == '.' ? name.size() > suffix.size() && name.ends_with(suffix)
                                 : name == suffix || name.ends_with("." + suffix);
  });
}

std::optional<std::string_view> domain_of(std::string_view address) {
  const auto at = address.rfind('@');
  if (at == std::string_view::npos || at == 0 || address.find('@') != at) {
    return std::nullopt; // two of them could be read in two ways
  }
  return address.substr(at + 1);
}

std::optional<std::string_view> host_of_uri(std::string_view uri) {
  const auto colon = uri.find("://");
  if (colon == std::string_view::npos || colon == 0 || !is_letter(uri.front())) {
    return std::nullopt;
  }
  const auto scheme = uri.substr(0, colon);
  const bool shaped = std::all_of(scheme.begin(), scheme.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  });
  const auto rest = uri.substr(colon + 3);
  auto authority = rest.substr(0, rest.find_first_of("/?#"));
  if (!shaped) {
    return std::nullopt;
  }
  if (const auto port = authority.find(':'); port != std::string_view::npos) {
    const auto digits = authority.substr(port + 1);
    if (!std::all_of(digits.begin(), digits.end(), is_digit)) {
      return std::nullopt;
    }
    authority = authority.substr(0, port);
  }
  return authority;
}

// -- addresses ------

std::optional<bytes> address_of(const std::string& text) {
  std::array<std::uint8_t, 16> octets{};
  if (text.find('\0') != std::string::npos) {
    return std::nullopt;
  }
  if (::inet_pton(AF_INET, text.c_str(), octets.data()) == 1) {
    return bytes(octets.begin(), octets.begin() + 4);
  }
  if (::inet_pton(AF_INET6, text.c_str(), octets.data()) == 1) {
    return bytes(octets.begin(), octets.end());
  }
  return std::nullopt;
}

bool in_range(const bytes& address, const std::string& range) {
  const auto slash = range.find('/');
  const auto base = address_of(range.substr(0, slash));
  if (!base || base->size() != address.size()) {
    return false;
  }
  std::size_t bits = address.size() * 8;
  if (slash != std::string::npos) {
    std::size_t wished = 0;
    const char* end = range.data() + range.size();
    const auto [stop, fault] = std::from_chars(range.data() + slash + 1, end, wished);
    if (fault != std::errc{} || stop != end || wished > bits) {
      return false;
    }
    bits = wished;
  }
  for (std::size_t i = 0; i < bits; ++i) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (i % 8));
    if (((address[i / 8] ^ (*base)[i / 8]) & mask) != 0) {
      return false;
    }
  }
  return true;
}

// -- directory names ------

bool directory_name_allowed(const bytes& name, const std::vector<std::string>& suffixes) {
  // The end of the text is the beginning of the DER form, and RDNs delimit themselves: equal octets
  // are equal RDNs.
  const auto wanted = relative_names(name);
  return std::any_of(suffixes.begin(), suffixes.end(), [wanted](const std::string& text) {
    const auto suffix = crypto::name_from_text(text);
    if (!suffix) {
      return false;
    }
    const auto allowed = relative_names(*suffix);
    return !allowed.empty() && allowed.size() <= wanted.size()
      && std::equal(allowed.begin(), allowed.end(), wanted.begin());
  });
}

// -- security identifiers ------

std::optional<std::uint32_t> sub_authority(std::string_view digits) {
  std::uint32_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, fault] = std::from_chars(digits.data(), end, value);
  const bool padded = digits.size() > 1 && digits.front() == '0';
  if (fault != std::errc{} || stop != end || padded) {
    return std::nullopt;
  }
  return value;
}

bool is_sid(std::string_view text) {
  if (!text.starts_with("S-1-")) {
    return false;
  }
  std::size_t parts = 0;
  for (std::size_t start = 4; start <= text.size(); ++parts) {
    const auto part = text.substr(start, text.find('-', start) - start);
    if (!sub_authority(part)) {
      return false;
    }
    start += part.size() + 1;
  }
  return parts >= 2 && parts <= sub_authorities_max + 1;
}

} // namespace pfx::actors::tasks
