// Makes orders. Every name exists twice: as the text that is sent and as what it means, each
// written down here and not derived from the other, so that the judge needs no parser.
#include "sandbox/orders.hpp"

#include <algorithm>
#include <array>

#include "connect/service/codec.hpp"
#include "core/limits.hpp"
#include "sandbox/dice.hpp"
#include "sandbox/sandbox.hpp"

namespace pfx::sandbox {

namespace {

constexpr std::string_view cn = "2.5.4.3";
constexpr std::string_view surname = "2.5.4.4";
constexpr std::string_view serial_number = "2.5.4.5";
constexpr std::string_view country = "2.5.4.6";
constexpr std::string_view locality = "2.5.4.7";
constexpr std::string_view organization = "2.5.4.10";
constexpr std::string_view unit = "2.5.4.11";
constexpr std::string_view email = "1.2.840.113549.1.9.1";
constexpr std::string_view domain_component = "0.9.2342.19200300.100.1.25";

constexpr std::string_view client_auth = "1.3.6.1.5.5.7.3.2";
constexpr std::string_view email_protection = "1.3.6.1.5.5.7.3.4";

struct kind_row {
  std::string_view name;
  key_algorithm key;
};
constexpr std::array<kind_row, 6> kinds = {{
  {"create-ec", key_algorithm::ec_p256},
  {"create-ec384", key_algorithm::ec_p384},
  {"create-ec521", key_algorithm::ec_p521},
  {"create-rsa", key_algorithm::rsa2048},
  {"create-rsa3072", key_algorithm::rsa3072},
  {"create-rsa4096", key_algorithm::rsa4096},
}};

relative_name rdn(std::string_view oid, std::string value) {
  return {{std::string(oid), std::move(value)}};
}

/// The subject of form `form`, of a person who has `number` in the name: text and meaning.
void put_subject(order& what, std::size_t form, const std::string& number) {
  auto& text = what.request.create.subject;
  const auto o = rdn(organization, "Example Test");
  switch (form) {
    case 0:
      text = "CN=User " + number + ",OU=Staff,O=Example Test,C=DE";
      what.subject = {rdn(country, "DE"), o, rdn(unit, "Staff"), rdn(cn, "User " + number)};
      break;
    case 1: // a quoted value with a comma
      text = "CN=\"Doe, Jane " + number + "\",O=\"Example, Test + Co; Ltd.\"";
      what.subject
        = {rdn(organization, "Example, Test + Co; Ltd."), rdn(cn, "Doe, Jane " + number)};
      break;
    case 2: // escapes, and a space that must stay
      text = "CN=Roe\\, John \\+ " + number + "\\ ,OU=\\#1 Unit,O=Example Test";
      what.subject = {o, rdn(unit, "#1 Unit"), rdn(cn, "Roe, John + " + number + " ")};
      break;
    case 3: { // an RDN of two
      text = "CN=Multi " + number + "+serialNumber=" + number + ",O=Example Test";
      relative_name both
        = {{std::string(cn), "Multi " + number}, {std::string(serial_number), number}};
      std::sort(both.begin(), both.end());
      what.subject = {o, std::move(both)};
      break;
    }
    case 4: // beyond ASCII, raw and as hex pairs
      text = "CN=Zoë Müller-\\C5\\81 " + number + ",L=København,O=試験";
      what.subject = {rdn(organization, "試験"), rdn(locality, "København"),
                      rdn(cn, "Zoë Müller-Ł " + number)};
      break;
    case 5:
      text = "E=user" + number + "@example.test,CN=Mail " + number + ",SN=Smith,DC=example,DC=test";
      what.subject
        = {rdn(domain_component, "test"), rdn(domain_component, "example"), rdn(surname, "Smith"),
           rdn(cn, "Mail " + number), rdn(email, "user" + number + "@example.test")};
      break;
    default: // a dotted type, blanks around the separators
      text = "2.5.4.3=Dotted " + number + " , OU=Back\\\\slash \\\"quoted\\\" , O=Example Test";
      what.subject = {o, rdn(unit, "Back\\slash \"quoted\""), rdn(cn, "Dotted " + number)};
      break;
  }
}

void put_name(order& what, name_type type, const std::string& text, std::string meaning) {
  what.request.create.alternative_names.push_back({type, text});
  what.names.push_back({type, std::move(meaning), {}});
}

void put_names(order& what, dice& choice, const std::string& number) {
  const auto user = "user" + number + "@example.test";
  put_name(what, name_type::upn, user, user);
  if (choice.below(2) == 0) {
    put_name(what, name_type::rfc822, user, user);
  }
  switch (choice.below(6)) {
    case 0: {
      const auto host = "host" + number + ".example.test";
      put_name(what, name_type::dns, host, host);
      break;
    }
    case 1: {
      const auto uri = "https://example.test/users/" + number + "?a=1,2";
      put_name(what, name_type::uri, uri, uri);
      break;
    }
    case 2:
      put_name(what, name_type::ip, "192.0.2.17", std::string("\xc0\x00\x02\x11", 4));
      break;
    case 3:
      put_name(what, name_type::ip, "2001:db8::2a",
               std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x2a", 16));
      break;
    case 4:
      what.request.create.alternative_names.push_back(
        {name_type::directory_name, "CN=Directory " + number + ",O=Example Test"});
      what.names.push_back({name_type::directory_name,
                            {},
                            {rdn(organization, "Example Test"), rdn(cn, "Directory " + number)}});
      break;
    default:
      break;
  }
}

void put_security_identifier(order& what, dice& choice) {
  const auto sid = std::string(sid_domain) + "-" + std::to_string(1000 + choice.below(50'000));
  what.request.create.security_identifier = sid;
  if (choice.below(2) == 0) {
    const auto uri = "tag:microsoft.com,2022-09-14:sid:" + sid;
    put_name(what, name_type::uri, uri, uri);
  }
}

void put_usages(order& what, dice& choice, key_algorithm key) {
  auto usages = static_cast<key_usages>(key_usage::digital_signature);
  if (is_rsa(key) && choice.below(2) == 0) {
    usages = static_cast<key_usages>(usages | static_cast<key_usages>(key_usage::key_encipherment));
  } else if (!is_rsa(key) && choice.below(3) == 0) {
    usages = static_cast<key_usages>(usages | static_cast<key_usages>(key_usage::key_agreement));
  }
  what.request.create.usages = usages;
  what.request.create.extended_usages = {std::string(client_auth)};
  if (choice.below(2) == 0) {
    what.request.create.extended_usages.emplace_back(email_protection);
  }
}

/// A device, with one to all of its keys as recipients.
void put_recipients(order& what, dice& choice, const fleet& devices) {
  const auto& one = choice.one_of(devices.devices());
  what.request.device_id = one.id;
  const auto count = 1 + choice.below(one.keys.size());
  for (std::size_t index = 0; index < count; ++index) {
    const auto& key = one.keys[index];
    const auto transport = !key.certificate.is_rsa() ? key_transport::ecdh
      : choice.below(2) == 0                         ? key_transport::rsa_oaep_sha256
                                                     : key_transport::rsa_pkcs1;
    what.request.recipients.push_back({key.recipient_id, key.certificate.der(), transport});
  }
}

/// Contexts are opaque: most look like identifiers, some do not.
std::string context_of(const std::string& prefix, dice& choice, std::uint64_t index) {
  const auto id = prefix + "-" + std::to_string(index) + "-" + choice.uuid();
  switch (choice.below(12)) {
    case 0:
      return id + "/+==&?#%20";
    case 1:
      return id + " übung \"x\" \\ 試験";
    case 2:
      return id + std::string(limits::request_context_bytes_max - id.size(), 'x');
    default:
      return id;
  }
}

validity_period validity_of(dice& choice) {
  switch (choice.below(3)) {
    case 0:
      return {static_cast<std::uint32_t>(30 + choice.below(300)), validity_unit::days};
    case 1:
      return {static_cast<std::uint32_t>(1 + choice.below(12)), validity_unit::months};
    default:
      return {1, validity_unit::years};
  }
}

key_algorithm key_of(const std::string& kind) {
  for (const auto& row : kinds) {
    if (row.name == kind) {
      return row.key;
    }
  }
  return key_algorithm::ec_p256;
}

/// Half of them are modern. By dice of its own, so that a seed's other choices do not depend on it.
pfx_profile created_profile(std::uint64_t seed, std::uint64_t index) {
  switch (dice(seed ^ 0x9f0f11e, index).below(4)) {
    case 0:
      return pfx_profile::compatible;
    case 1:
      return pfx_profile::legacy;
    default:
      return pfx_profile::modern;
  }
}

/// "bad" and "bad-import" become the bad one whose turn it is.
std::string full_kind(const std::string& kind, std::uint64_t index) {
  if (kind != "bad" && kind != "bad-import") {
    return kind;
  }
  const auto names = kind == "bad" ? bad_names() : bad_import_names();
  return "bad:" + names[index % names.size()];
}

} // namespace

const foreign_file* file_of_kind(const std::string& kind) noexcept {
  const auto* file
    = kind.starts_with(import_of_file) ? file_named(kind.substr(import_of_file.size())) : nullptr;
  return file != nullptr && file->weight > 0 ? file : nullptr;
}

bool needs_import_key(const std::string& kind) {
  return kind == "import" || kind == "bad-import" || kind == "poison-import"
    || kind.starts_with("bad:import-") || kind.starts_with(import_of_file);
}

std::string_view name_of(expected_end value) noexcept {
  switch (value) {
    case expected_end::success:
      return "success";
    case expected_end::failure:
      return "failure";
    case expected_end::one_result:
      return "oneResult";
    case expected_end::anything:
      break;
  }
  return "anything";
}

result<order_book> order_book::make(order_options options, const fleet& devices) {
  if (options.mix.empty()) {
    options.mix = {{"create-ec", 1.0}};
  }
  double total = 0;
  for (const auto& [kind, weight] : options.mix) {
    if (!knows(kind)) {
      return failure(errc::bad_input, "mix", "has an unknown kind: " + printable(kind));
    }
    if (!(weight >= 0) || weight > 1e9) {
      return failure(errc::bad_input, "mix", "has a weight that is none: " + printable(kind));
    }
    total += weight;
  }
  if (!(total > 0)) {
    return failure(errc::bad_input, "mix", "has no weight above zero");
  }
  for (auto& one : options.mix) {
    one.second /= total;
  }
  return order_book(std::move(options), devices);
}

bool order_book::knows(const std::string& kind) {
  constexpr std::array<std::string_view, 5> others
    = {"bad", "poison", "import", "bad-import", "poison-import"};
  if (std::find(others.begin(), others.end(), kind) != others.end()) {
    return true;
  }
  if (file_of_kind(kind) != nullptr) {
    return true;
  }
  if (kind.starts_with("bad:")) {
    const auto named = [&](const auto& name) { return name == kind.substr(4); };
    const auto creates = bad_names();
    const auto imports = bad_import_names();
    return std::any_of(creates.begin(), creates.end(), named)
      || std::any_of(imports.begin(), imports.end(), named);
  }
  return std::any_of(kinds.begin(), kinds.end(), [&](const auto& row) { return row.name == kind; });
}

order order_book::at(std::uint64_t index) const {
  dice choice(options_.seed ^ 0x5eed, index);
  double left = choice.share();
  for (const auto& [kind, share] : options_.mix) {
    left -= share;
    if (left < 0) {
      return of_kind(kind, index);
    }
  }
  return of_kind(options_.mix.back().first, index);
}

void order_book::put_create(order& what, dice& choice) const {
  const auto number = std::to_string(what.index);
  auto& create = what.request.create;
  create.key = key_of(what.kind);
  create.hash
    = choice.one_of(std::vector<hash_algorithm>{hash_algorithm::sha256, hash_algorithm::sha256,
                                                hash_algorithm::sha384, hash_algorithm::sha512});
  create.validity = validity_of(choice);
  create.authority = options_.authority_name;
  create.certificate_template = choice.below(4) == 0 ? "Device" : "User";
  what.request.profile = created_profile(options_.seed, what.index);
  put_subject(what, choice.below(7), number);
  put_names(what, choice, number);
  put_usages(what, choice, create.key);
  if (choice.below(3) == 0) {
    put_security_identifier(what, choice);
  }
}

order order_book::of_kind(const std::string& kind, std::uint64_t index) const {
  dice choice(options_.seed, index);
  order out;
  out.index = index;
  out.kind = full_kind(kind, index);
  const bool poison = kind.starts_with("poison");
  out.context = context_of(poison                      ? "poison"
                             : kind.starts_with("bad") ? "bad"
                                                       : "rq",
                           choice, index);
  auto& request = out.request;
  request.context = out.context;
  request.kind = needs_import_key(kind) ? request_kind::pfx_import : request_kind::pfx_create;
  request.kind_word = name_of(request.kind);
  request.created = options_.created;
  request.expires = options_.expires;
  request.user_id = choice.uuid();
  request.user_principal_name = "user" + std::to_string(index) + "@example.test";
  request.profile_id = choice.uuid();
  if (request.kind == request_kind::pfx_import) {
    put_import(out, choice);
  } else {
    put_create(out, choice);
  }
  put_recipients(out, choice, devices_);
  if (poison) {
    out.expected = {expected_end::anything, {}, {}};
  } else if (out.kind.starts_with("bad:")) {
    out.bad_name = out.kind.substr(4);
    spoil(out, out.bad_name, devices_);
  }
  return out;
}

std::string order_book::text(const order& what, std::uint64_t lease_number, std::int64_t lease_ms,
                             std::size_t copy) const {
  auto good = connect::service::encode_request(what.request, lease_number, lease_ms);
  if (what.brought.without_profile) {
    constexpr std::string_view field = ",\"pfxProfile\":\"unchanged\"";
    good.erase(good.rfind(field), field.size());
  }
  return what.how == spoiling::none ? good : spoiled_text(what, std::move(good), copy);
}

} // namespace pfx::sandbox
