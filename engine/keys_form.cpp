// Forms of private keys, told apart by what they begin with. Refuses every form that hides what it
// holds, with the command that opens it.
#include "engine/keys_form.hpp"

#include <nlohmann/json.hpp>

#include "crypto/digest.hpp"
#include "crypto/rsa_blob.hpp"

namespace pfx::engine {
namespace {

constexpr const char* field = "from";
constexpr std::size_t pem_line_characters = 64;

tl::unexpected<error> not_read(const char* what) {
  return failure(errc::not_supported, field, what);
}

/// The first element inside a SEQUENCE, by its tag: a version (INTEGER) or something else. 0 if it
/// is no SEQUENCE.
std::uint8_t first_inner_tag(byte_view der) {
  if (der.size() < 2 || der[0] != 0x30)
    return 0;
  const std::size_t header = (der[1] & 0x80) == 0 ? 2 : 2 + (der[1] & 0x7fU);
  return der.size() > header ? der[header] : std::uint8_t{0};
}

/// PFX ::= SEQUENCE { version INTEGER {v3(3)}, … } (RFC 7292 4).
bool is_pkcs12(byte_view der) {
  const std::size_t header = (der[1] & 0x80) == 0 ? 2 : 2 + (der[1] & 0x7fU);
  return der.size() > header + 2 && der[header] == 2 && der[header + 1] == 1
    && der[header + 2] == 3;
}

result<crypto::private_key> named(result<crypto::private_key> read) {
  if (read)
    return read;
  return failure(read.error().code == errc::too_large ? errc::too_large : errc::bad_input, field,
                 read.error().message);
}

result<crypto::private_key> from_pem(std::string_view text) {
  if (text.find("BEGIN ENCRYPTED PRIVATE KEY") != std::string_view::npos
      || text.find("Proc-Type: 4,ENCRYPTED") != std::string_view::npos)
    return not_read("is encrypted: decrypt it first, `openssl pkey -in FILE | pfxengine key import "
                    "--from - …`");
  if (text.find("PRIVATE KEY-----") == std::string_view::npos)
    return not_read(text.find("PUBLIC KEY-----") != std::string_view::npos
                      ? "holds a public key; the private one is needed"
                      : "is PEM without a private key");
  return named(crypto::private_key::from_pem(text));
}

result<crypto::private_key> from_der(byte_view octets) {
  constexpr std::uint8_t integer = 0x02;
  const auto inner = first_inner_tag(octets);
  if (inner == integer && is_pkcs12(octets))
    return not_read("is a PKCS#12 file: take the key out first, `openssl pkcs12 -nocerts -nodes`");
  if (inner == integer)
    return named(crypto::private_key::from_pkcs8(octets));
  // EncryptedPrivateKeyInfo, SubjectPublicKeyInfo and certificates begin with a SEQUENCE.
  return not_read("is encrypted, or holds no private key (DER); PKCS#8 in clear is needed");
}

nlohmann::ordered_json object_of(const key_summary& value) {
  return {{"providerName", value.provider},
          {"keyName", value.name},
          {"bits", value.bits},
          {"paddings", value.paddings},
          {"exportable", value.exportable},
          {"createdAt", to_rfc3339(value.created_at)},
          {"publicKeySha256", value.fingerprint}};
}

} // namespace

namespace detail {

result<crypto::private_key> read_private_key(const secret_bytes& octets) {
  const auto text = octets.text();
  if (octets.empty())
    return failure(errc::bad_input, field, "is empty");
  if (octets.size() > key_input_bytes_max)
    return failure(errc::too_large, field, "is longer than any key");
  if (text.starts_with("RSA3"))
    return named(crypto::from_rsa_full_private_blob(octets.view()));
  if (text.starts_with("RSA2"))
    return not_read("is an RSAPRIVATEBLOB: export it as RSAFULLPRIVATEBLOB");
  if (text.starts_with("RSA1"))
    return not_read("holds a public key (RSAPUBLICBLOB); the private one is needed");
  if (text.find("-----BEGIN ") != std::string_view::npos)
    return from_pem(text);
  if (octets.data()[0] == 0x30 && octets.size() > 2)
    return from_der(octets.view());
  return failure(errc::bad_input, field,
                 "holds no private key in a form that is read: PEM, PKCS#8 DER, "
                 "RSAFULLPRIVATEBLOB");
}

std::string public_key_pem(byte_view public_key_info) {
  const auto text = crypto::to_base64(public_key_info);
  std::string out = "-----BEGIN PUBLIC KEY-----\n";
  for (std::size_t at = 0; at < text.size(); at += pem_line_characters)
    out.append(text, at, pem_line_characters).append("\n");
  return out + "-----END PUBLIC KEY-----\n";
}

} // namespace detail

std::string to_json(const key_overview& value) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& key : value.keys)
    list.push_back(object_of(key));
  nlohmann::ordered_json out{{"value", std::move(list)}};
  for (const auto& fault : value.faults)
    out["faults"].push_back(
      {{"file", fault.field}, {"error", std::string(name_of(fault.code)) + ": " + fault.message}});
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string to_json(const key_summary& value) {
  return object_of(value).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace pfx::engine
