// Imports that are wrong on purpose, each in one way, and what the engine must say to them. All
// that is wrong with the encrypted password must be one and the same error.
#include "sandbox/bad_rows.hpp"

#include <array>

#include <nlohmann/json.hpp>

#include "connect/ca/der.hpp"
#include "core/limits.hpp"
#include "sandbox/sandbox.hpp"

namespace pfx::sandbox {

namespace der = connect::ca::der;

namespace {

constexpr std::size_t garbage_octets = 1'000;
constexpr std::uint64_t garbage_stream = 0x6a7ba6e;

constexpr std::array wrong_value
  = {service_code::data_serialization, service_code::parameter_invalid};
constexpr std::array too_much = {service_code::data_serialization, service_code::parameter_invalid,
                                 service_code::payload_too_large};
constexpr std::array unfit_padding = {service_code::data_serialization,
                                      service_code::parameter_invalid, service_code::not_supported};
constexpr std::array no_such_key = {service_code::certificate_not_found};
constexpr std::array not_opened = {service_code::cryptography};

/// Another row of the table, for orders whose badness needs a certain file.
void use_file(order& what, std::string_view name) {
  const auto* file = file_named(name);
  what.brought.file = file;
  what.request.import.encrypted_pfx = to_bytes(file->octets);
  what.request.import.thumbprint = file->sha1;
}

// -- the encrypted password ------

template <sealing How>
void seal(order& what, const fleet&) {
  what.brought.how = How;
}

void damaged(order& what, const fleet&) { // the MAC does not hold, and nothing else is wrong
  use_file(what, "openssl-rsa2048.p12");
  auto& file = what.request.import.encrypted_pfx;
  file[file.size() / 2] ^= 0x01;
}

// -- names of keys and paddings ------

void padding_none(order& what, const fleet&) { what.request.import.padding_scheme = "none"; }
void padding_sha1(order& what, const fleet&) { what.request.import.padding_scheme = "oaepSha1"; }
void padding_word(order& what, const fleet&) { what.request.import.padding_scheme = "rot13"; }
void padding_pkcs1(order& what, const fleet&) {
  what.request.import.padding_scheme = "pkcs1";
  what.brought.how = sealing::pkcs1;
}
void unknown_key(order& what, const fleet&) { what.request.import.key_name = "no-such-key"; }
void unknown_provider(order& what, const fleet&) {
  what.request.import.provider_name = "No Such Provider";
}

// -- thumbprints ------

void other_thumbprint(order& what, const fleet&) {
  use_file(what, "openssl-rsa2048.p12");
  what.request.import.thumbprint = file_named("openssl-rsa4096.p12")->sha1;
}
void short_thumbprint(order& what, const fleet&) { what.request.import.thumbprint.pop_back(); }
void worded_thumbprint(order& what, const fleet&) {
  what.request.import.thumbprint = std::string(40, 'z');
}
void no_key_inside(order& what, const fleet&) { use_file(what, "bad-no-key.p12"); }
void other_key_inside(order& what, const fleet&) { use_file(what, "bad-other-key.p12"); }

// -- files ------

void garbage(order& what, const fleet&) {
  dice octets(garbage_stream, what.index);
  auto& file = what.request.import.encrypted_pfx;
  file.resize(garbage_octets);
  for (auto& octet : file) {
    octet = static_cast<std::uint8_t>(octets.below(256));
  }
}
void truncated(order& what, const fleet&) {
  auto& file = what.request.import.encrypted_pfx;
  file.resize(file.size() / 2);
}
void too_big(order& what, const fleet&) {
  what.request.import.encrypted_pfx.resize(limits::pfx_bytes_max + 1);
}
void many_iterations(order& what, const fleet&) { use_file(what, "bad-iterations.p12"); }

bytes joined(std::initializer_list<byte_view> pieces) {
  bytes out;
  for (const auto& one : pieces) {
    out.insert(out.end(), one.begin(), one.end());
  }
  return out;
}

/// PFX { version, authSafe, MacData { mac, salt, iterations } } with 2^31 - 1 iterations.
void mac_bomb(order& what, const fleet&) {
  use_file(what, "openssl-rsa2048.p12");
  const auto file = what.request.import.encrypted_pfx;
  const auto whole = der::only(file);
  const auto parts = whole ? der::children(whole->value) : std::nullopt;
  const auto mac = parts && parts->size() == 3 ? der::children((*parts)[2].value) : std::nullopt;
  if (!mac || mac->size() != 3) {
    return; // the file is ours: a test sees that it is read
  }
  const auto count = der::wrap(0x02, bytes{0x7f, 0xff, 0xff, 0xff});
  const auto data = der::wrap(0x30, joined({(*mac)[0].whole, (*mac)[1].whole, count}));
  what.request.import.encrypted_pfx
    = der::wrap(0x30, joined({(*parts)[0].whole, (*parts)[1].whole, data}));
}

// -- recipients: a hostile service names a certificate of its own making ------

void foreign_recipient(order& what, const fleet& devices) {
  use_recipient(what, devices, devices.unfit().foreign);
}
void expired_recipient(order& what, const fleet& devices) {
  use_recipient(what, devices, devices.unfit().expired);
}
void ca_recipient(order& what, const fleet& devices) {
  use_recipient(what, devices, devices.unfit().a_ca);
}

// -- texts ------

using json = nlohmann::ordered_json;
void unknown_profile(json& body) { body["pfxProfile"] = "ancient"; }
void no_file(json& body) { body.erase("encryptedPfxBlob"); }
void no_password(json& body) { body.erase("encryptedPfxPassword"); }
void no_key_name(json& body) { body.erase("keyName"); }
void file_not_base64(json& body) { body["encryptedPfxBlob"] = "%%%"; }
void typed_thumbprint(json& body) { body["thumbprint"] = 5; }

constexpr std::string_view the_password = "encryptedPfxPassword";
constexpr std::string_view the_file = "encryptedPfxBlob";
constexpr std::string_view the_padding = "paddingScheme";
constexpr std::string_view the_recipient = "recipients[0].certificate";

/// A row of the one error.
constexpr bad_row alike(std::string_view name, bad_change alter) {
  return {name, the_password, not_opened, alter, nullptr, true, false};
}

constexpr std::array<bad_row, 38> rows = {{
  alike("import-ciphertext-random", seal<sealing::random_octets>),
  alike("import-ciphertext-short", seal<sealing::one_less>),
  alike("import-ciphertext-long", seal<sealing::one_more>),
  alike("import-password-wrong", seal<sealing::other_password>),
  alike("import-password-empty", seal<sealing::empty_password>),
  alike("import-password-long", seal<sealing::long_password>),
  alike("import-key-other", seal<sealing::other_key>),
  alike("import-hash-other", seal<sealing::other_hash>),
  alike("import-oaep-sha1", seal<sealing::oaep_sha1>),
  alike("import-oaep-label", seal<sealing::oaep_label>),
  alike("import-oaep-mask-sha1", seal<sealing::oaep_mask_sha1>),
  alike("import-file-damaged", damaged),
  {"import-padding-none", the_padding, unfit_padding, padding_none},
  {"import-padding-sha1", the_padding, unfit_padding, padding_sha1},
  {"import-padding-word", the_padding, unfit_padding, padding_word},
  {"import-padding-pkcs1", the_padding, unfit_padding, padding_pkcs1},
  {"import-key-unknown", "keyName", no_such_key, unknown_key, nullptr, false, true},
  {"import-provider-unknown", "keyName", no_such_key, unknown_provider, nullptr, false, true},
  {"import-thumbprint-other", "thumbprint", wrong_value, other_thumbprint},
  {"import-thumbprint-short", "thumbprint", wrong_value, short_thumbprint},
  {"import-thumbprint-words", "thumbprint", wrong_value, worded_thumbprint},
  {"import-file-no-key", "thumbprint", wrong_value, no_key_inside},
  {"import-file-other-key", "thumbprint", wrong_value, other_key_inside},
  {"import-file-garbage", the_file, wrong_value, garbage},
  {"import-file-truncated", the_file, wrong_value, truncated},
  {"import-file-too-big", the_file, too_much, too_big},
  {"import-bomb-mac", the_file, too_much, mac_bomb},
  {"import-bomb-iterations", the_file, too_much, many_iterations},
  {"import-recipient-foreign", the_recipient, wrong_value, foreign_recipient},
  {"import-recipient-expired", the_recipient, wrong_value, expired_recipient},
  {"import-recipient-ca", the_recipient, wrong_value, ca_recipient},
  {"import-profile-word", "pfxProfile", wrong_value, nullptr, unknown_profile},
  {"import-no-file", the_file, wrong_value, nullptr, no_file},
  {"import-no-password", the_password, wrong_value, nullptr, no_password},
  {"import-no-key-name", "keyName", wrong_value, nullptr, no_key_name},
  {"import-not-base64", the_file, wrong_value, nullptr, file_not_base64},
  {"import-thumbprint-typed", "thumbprint", wrong_value, nullptr, typed_thumbprint},
  {"import-profile-number", "pfxProfile", wrong_value, nullptr,
   [](json& body) { body["pfxProfile"] = 1; }},
}};

} // namespace

std::span<const bad_row> bad_import_rows() noexcept { return rows; }

std::vector<std::string> bad_import_names() {
  std::vector<std::string> out;
  for (const auto& row : rows) {
    out.emplace_back(row.name);
  }
  return out;
}

} // namespace pfx::sandbox
