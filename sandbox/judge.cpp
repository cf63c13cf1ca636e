// What the judge looks at, in the order in which a device would meet it: passwords, file, key,
// names, chain, parameters.
#include "sandbox/judge.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "crypto/cms.hpp"
#include "crypto/digest.hpp"
#include "crypto/pkcs12.hpp"
#include "sandbox/profile_check.hpp"

namespace pfx::sandbox {

namespace {

constexpr unix_ms clock_slack_ms = 120'000; // clocks, rounding and the CA's backdating
constexpr std::size_t password_characters = 32;

using faults = std::vector<std::string>;

void check(faults& out, bool good, std::string sentence) {
  if (!good) {
    out.push_back(std::move(sentence));
  }
}

void add(faults& out, faults more) {
  out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

std::vector<general_name> sorted(std::vector<general_name> names) {
  std::sort(names.begin(), names.end());
  return names;
}

std::string to_text(const std::vector<general_name>& names) {
  std::string out;
  for (const auto& one : names) {
    const auto value = one.type == name_type::directory_name ? to_text(one.directory)
      : one.type == name_type::ip                            ? to_hex(as_bytes(one.value))
                                                             : printable(one.value);
    out += (out.empty() ? "" : ", ") + std::string(name_of(one.type)) + ":" + value;
  }
  return "[" + out + "]";
}

/// Where a validity period that starts at `start` ends, by calendar, reckoned on its own.
unix_ms end_of(unix_ms start, const validity_period& period) {
  constexpr unix_ms day_ms = 86'400'000;
  if (period.unit == validity_unit::days) {
    return start + day_ms * period.value;
  }
  const auto text = to_rfc3339(start); // "YYYY-MM-DDThh:mm:ss…Z"
  int year = std::stoi(text.substr(0, 4));
  int month = std::stoi(text.substr(5, 2)) - 1;
  const int months
    = static_cast<int>(period.value) * (period.unit == validity_unit::years ? 12 : 1);
  year += (month + months) / 12;
  month = (month + months) % 12;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  constexpr std::array<int, 12> lengths = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int last = lengths[static_cast<std::size_t>(month)] + (month == 1 && leap ? 1 : 0);
  const int day = std::min(std::stoi(text.substr(8, 2)), last);
  const auto two = [](int n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  const auto moved
    = from_rfc3339(std::to_string(year) + "-" + two(month + 1) + "-" + two(day) + text.substr(10));
  return moved ? *moved : 0;
}

/// The password as every recipient gets it; the first one that opens stands for the file.
std::optional<secret_bytes> open_deliveries(const judge_options& options, const order& ordered,
                                            const request_result& delivered, faults& out) {
  std::optional<secret_bytes> password;
  std::set<std::string> seen;
  for (const auto& one : delivered.deliveries) {
    const auto name = printable(one.recipient_id);
    check(out, seen.insert(one.recipient_id).second,
          "recipient " + name + " is delivered to twice");
    const auto* key = options.devices.find(one.recipient_id);
    const bool wanted
      = std::any_of(ordered.request.recipients.begin(), ordered.request.recipients.end(),
                    [&](const auto& recipient) { return recipient.id == one.recipient_id; });
    if (key == nullptr || !wanted) {
      out.push_back("recipient " + name + " was not asked for");
      continue;
    }
    auto opened = crypto::decrypt_with(key->certificate, *key->key, one.encrypted_password);
    if (!opened) {
      out.push_back("recipient " + name + " cannot open its password");
      continue;
    }
    if (!password) {
      password = std::move(*opened);
    } else {
      check(out, equal_constant_time(password->view(), opened->view()),
            "recipient " + name + " got another password than the first one");
    }
  }
  for (const auto& recipient : ordered.request.recipients) {
    check(out, seen.contains(recipient.id),
          "recipient " + printable(recipient.id) + " is missing among the deliveries");
  }
  return password;
}

void check_key(const order& ordered, const crypto::pkcs12_content& content, faults& out) {
  check(out, content.leaf.matches(content.key), "the PFX's key is not the key of its certificate");
  const auto key = ordered.request.create.key;
  const int bits = key == key_algorithm::rsa2048 ? 2048
    : key == key_algorithm::rsa3072              ? 3072
    : key == key_algorithm::rsa4096              ? 4096
    : key == key_algorithm::ec_p256              ? 256
    : key == key_algorithm::ec_p384              ? 384
                                                 : 521;
  check(out, content.leaf.is_rsa() == is_rsa(key) && content.leaf.key_bits() == bits,
        "the key is not of the ordered algorithm " + std::string(name_of(key)));
}

/// The result document beside the file: what it claims must be what the file holds.
void check_document(const crypto::pkcs12_content& content, const request_result& delivered,
                    faults& out) {
  if (!delivered.certificate) {
    out.push_back("the document of a created PFX has no certificate");
    return;
  }
  const auto& claimed = *delivered.certificate;
  check(out, claimed.certificate == content.leaf.der(),
        "the document's certificate is not the PFX's");
  check(out, claimed.thumbprint == crypto::sha256(claimed.certificate),
        "the document's thumbprint is wrong");
  check(out, claimed.serial_number == content.leaf.serial(), "the document's serial is wrong");
  check(out, claimed.issuer == content.leaf.issuer(), "the document's issuer is wrong");
  check(out,
        claimed.not_before == content.leaf.not_before()
          && claimed.not_after == content.leaf.not_after(),
        "the document's validity is wrong");
}

void check_chain(const judge_options& options, const crypto::pkcs12_content& content, unix_ms now,
                 faults& out) {
  const auto chained = crypto::verify_chain(content.leaf, content.chain, options.roots, now);
  check(out, chained.has_value(),
        "the certificate does not chain to the CA"
          + (chained ? "" : ": " + to_string(chained.error())));
  for (const auto& one : content.chain) {
    check(out, one.subject() != one.issuer(), "the PFX holds the root");
  }
}

/// Unchanged: the very octets with their own password, which other programs say what they hold.
/// Else the same key and certificate in a file of the profile.
void judge_import(const judge_options& options, const order& ordered,
                  const request_result& delivered, judgement& out) {
  check(out.faults, !delivered.certificate, "the document of an import has a certificate");
  auto password = open_deliveries(options, ordered, delivered, out.faults);
  if (!password) {
    out.faults.emplace_back("no recipient can open the PFX");
    return;
  }
  const auto& original = *ordered.brought.file;
  const auto profile = ordered.request.profile;
  if (profile == pfx_profile::unchanged) {
    check(out.faults, delivered.encrypted_pfx == to_bytes(original.octets),
          "the file is not the one that was imported");
    check(out.faults, equal_constant_time(password->view(), original.password),
          "the password is not the imported file's");
    return;
  }
  add(out.faults, check_password(password->text()));
  const auto content = crypto::read_pkcs12(delivered.encrypted_pfx, *password);
  if (!content) {
    out.faults.push_back("the PFX does not open: " + to_string(content.error()));
    return;
  }
  add(out.faults, check_profile(profile, delivered.encrypted_pfx, *password));
  add(out.faults, compare_with_original(original, *content));
}

void judge_create(const judge_options& options, const order& ordered,
                  const request_result& delivered, unix_ms now, judgement& out) {
  auto password = open_deliveries(options, ordered, delivered, out.faults);
  if (!password) {
    out.faults.emplace_back("no recipient can open the PFX");
    return;
  }
  add(out.faults, check_password(password->text()));
  const auto content = crypto::read_pkcs12(delivered.encrypted_pfx, *password);
  if (!content) {
    out.faults.push_back("the PFX does not open: " + to_string(content.error()));
    return;
  }
  add(out.faults, check_profile(ordered.request.profile, delivered.encrypted_pfx, *password));
  check_key(ordered, *content, out.faults);
  check_document(*content, delivered, out.faults);
  check_chain(options, *content, now, out.faults);
  check(out.faults, !content->friendly_name.empty(), "the PFX has no friendlyName");
  const auto seen = read_certificate(content->leaf.der());
  if (!seen) {
    out.faults.emplace_back("the certificate can't be read by the judge");
    return;
  }
  out.public_key = to_hex(crypto::sha256(seen->public_key));
  add(out.faults, compare_with_order(ordered, *seen, now));
}

void judge_failure(const order& ordered, const request_result& delivered, judgement& out) {
  const auto& codes = ordered.expected.codes;
  const auto text = std::to_string(static_cast<unsigned>(delivered.code)) + " \""
    + printable(delivered.message, 300) + "\"";
  if (ordered.expected.end != expected_end::failure) {
    return;
  }
  check(out.faults, std::find(codes.begin(), codes.end(), delivered.code) != codes.end(),
        "the failure has another code than expected: " + text);
  check(out.faults, delivered.message.find(ordered.expected.field) != std::string::npos,
        "the failure does not name \"" + ordered.expected.field + "\": " + text);
  check(out.faults, !delivered.message.empty(), "the failure has no message");
  check(out.faults, !delivered.retryable || ordered.expected.may_be_retried,
        "the failure calls itself retryable: " + text);
}

} // namespace

std::vector<std::string> check_password(std::string_view password) {
  faults out;
  check(out, password.size() == password_characters,
        "the password has characters: " + std::to_string(password.size()));
  check(out,
        std::all_of(password.begin(), password.end(),
                    [](char c) {
                      return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
                        || (c >= 'a' && c <= 'z');
                    }),
        "the password has characters other than letters and digits");
  return out;
}

std::vector<std::string> compare_with_original(const foreign_file& original,
                                               const crypto::pkcs12_content& content) {
  faults out;
  const auto& leaf = content.leaf;
  check(out,
        to_hex(leaf.thumbprint()) == original.sha256
          && to_hex(crypto::sha1(leaf.der())) == original.sha1,
        "the certificate is not that of " + std::string(original.name));
  check(out, leaf.matches(content.key), "the PFX's key is not the key of its certificate");
  check(out, to_hex(content.key.public_key_hash()) == original.public_key,
        "the key is not that of " + std::string(original.name));
  check(out, content.chain.size() == original.chain,
        "certificates between leaf and root: " + std::to_string(content.chain.size()));
  const auto* below = &leaf;
  for (const auto& one : content.chain) {
    check(out, one.subject() != one.issuer(), "the PFX holds the root");
    check(out, below->issued_by(one), "the chain is not in order");
    below = &one;
  }
  const auto& name = content.friendly_name;
  check(out, !name.empty(), "the PFX has no friendlyName");
  check(out, original.friendly_name.empty() || name == original.friendly_name,
        "the friendlyName is \"" + printable(name) + "\" and not \""
          + std::string(original.friendly_name) + "\"");
  return out;
}

std::vector<std::string> compare_with_order(const order& ordered, const seen_certificate& seen,
                                            unix_ms now) {
  faults out;
  const auto& wanted = ordered.request.create;
  check(out, seen.subject == ordered.subject,
        "the subject is " + to_text(seen.subject) + " and not " + to_text(ordered.subject));
  check(out, sorted(seen.alternative_names) == sorted(ordered.names),
        "the alternative names are " + to_text(seen.alternative_names) + " and not "
          + to_text(ordered.names));
  check(out, seen.unknown_names.empty(), "there are alternative names of other types");
  check(out, seen.usages == std::optional(wanted.usages), "the key usages are not those ordered");
  auto seen_usages = seen.extended_usages;
  auto wanted_usages = wanted.extended_usages;
  std::sort(seen_usages.begin(), seen_usages.end());
  std::sort(wanted_usages.begin(), wanted_usages.end());
  check(out, seen_usages == wanted_usages, "the extended key usages are not those ordered");
  check(out, seen.security_identifier == wanted.security_identifier,
        "the SID is \"" + printable(seen.security_identifier) + "\" and not \""
          + wanted.security_identifier + "\"");
  check(out, !seen.is_ca, "the certificate is a CA's");
  check(out, seen.not_before <= now && now < seen.not_after, "the certificate is not valid now");
  // Issued at some moment between the order and now, give or take the slack.
  const auto earliest = end_of(ordered.request.created, wanted.validity) - clock_slack_ms;
  const auto latest = end_of(now, wanted.validity) + clock_slack_ms;
  check(out, seen.not_after >= earliest && seen.not_after <= latest,
        "the certificate ends " + to_rfc3339(seen.not_after)
          + ", which is not the ordered validity");
  return out;
}

judgement judge_result(const judge_options& options, const order& ordered,
                       const request_result& delivered, unix_ms now) {
  judgement out;
  const auto end = ordered.expected.end;
  if (delivered.succeeded) {
    check(out.faults, end != expected_end::failure, "a bad request was fulfilled");
    if (ordered.brought.file != nullptr) {
      judge_import(options, ordered, delivered, out);
    } else {
      judge_create(options, ordered, delivered, now, out);
    }
  } else {
    check(out.faults, end != expected_end::success,
          "a good request failed: " + std::to_string(static_cast<unsigned>(delivered.code)) + " \""
            + printable(delivered.message, 300) + "\"");
    judge_failure(ordered, delivered, out);
  }
  out.as_expected = out.faults.empty();
  return out;
}

} // namespace pfx::sandbox
