// A connector key's octets at rest. Refuses newer forms, words that are no names, and a key that is
// not the one it is stored as.
#include "crypto/file_key_store_form.hpp"

#include <algorithm>

#include "core/codec.hpp"
#include "crypto/digest.hpp"

namespace pfx::crypto::detail {
namespace {

/// Keys outlive any store, so their seal has a store id of its own (as the identity's).
constexpr std::string_view seal_store_id = "pfxengine-keys-1";
constexpr std::uint64_t seal_epoch = 1;
constexpr std::uint8_t seal_record_type = 1;
constexpr std::uint8_t form_version = 1;
constexpr std::size_t paddings_max = 8;

tl::unexpected<error> damaged(const char* why) { return failure(errc::corrupt, "key", why); }

result<void> check_word(std::string_view word, const char* field) {
  if (word.empty() || word.size() > limits_of_keys::name_octets_max)
    return failure(errc::bad_input, field, "must have 1 to 256 octets");
  if (printable(word, limits_of_keys::name_octets_max) != word)
    return failure(errc::bad_input, field, "must be printable UTF-8");
  return {};
}

bytes encode(const connector_key& about) {
  writer out;
  out.u8(form_version).text(about.provider).text(about.name);
  out.u32(static_cast<std::uint32_t>(about.bits));
  out.u8(static_cast<std::uint8_t>(about.paddings.size()));
  for (const auto padding : about.paddings)
    out.u8(static_cast<std::uint8_t>(padding));
  return out.flag(about.exportable).i64(about.created_at).blob(about.public_key).take();
}

result<connector_key> decode(byte_view octets) {
  reader in(octets);
  if (in.u8() != form_version)
    return failure(errc::store_newer, "key", "was written by a newer program");
  connector_key out;
  out.provider = in.text();
  out.name = in.text();
  out.bits = static_cast<int>(in.u32());
  const std::size_t count = in.u8();
  for (std::size_t i = 0; in.ok() && i < count && i < paddings_max; ++i)
    out.paddings.push_back(static_cast<rsa_padding>(in.u8()));
  out.exportable = in.flag();
  out.created_at = in.i64();
  out.public_key = in.blob();
  if (!in.finished())
    return damaged("is damaged");
  return out;
}

} // namespace

result<void> check_key_names(std::string_view provider, std::string_view name) {
  if (auto good = check_word(provider, "providerName"); !good)
    return good;
  return check_word(name, "keyName");
}

std::string key_file_name(std::string_view provider, std::string_view name) {
  writer words;
  words.text("pfxengine connector key 1").text(provider).text(name);
  return to_hex(sha256(words.view())) + ".key";
}

result<sealer> make_key_sealer(secret_bytes master_key) {
  return sealer::make(std::move(master_key), as_bytes(seal_store_id), seal_epoch);
}

result<bytes> seal_key(const sealer& under, const connector_key& about, const private_key& key) {
  const auto pkcs8 = key.to_pkcs8();
  if (!pkcs8)
    return failure(pkcs8.error());
  const auto head = writer().blob(encode(about)).take();
  secret_bytes plain(head.size() + pkcs8->size());
  std::ranges::copy(head, plain.data());
  std::ranges::copy(pkcs8->view(), plain.data() + head.size());
  const auto name = key_file_name(about.provider, about.name);
  return under.seal({seal_record_type, as_bytes(name)}, plain.view());
}

result<opened_key> open_key(const sealer& under, const std::string& file_name, byte_view sealed) {
  const auto plain = under.open({seal_record_type, as_bytes(file_name)}, sealed);
  if (!plain)
    return failure(plain.error());
  constexpr std::size_t length_octets = 4;
  const auto octets = plain->view();
  if (octets.size() < length_octets)
    return damaged("is damaged");
  const std::size_t head_size = reader(octets.first(length_octets)).u32();
  if (head_size > octets.size() - length_octets)
    return damaged("is damaged");
  auto about = decode(octets.subspan(length_octets, head_size));
  if (!about)
    return failure(std::move(about).error());
  if (key_file_name(about->provider, about->name) != file_name)
    return damaged("lies under another key's name");
  return opened_key{std::move(*about), secret_bytes(octets.subspan(length_octets + head_size))};
}

result<private_key> pair_of(const opened_key& from) {
  auto key = private_key::from_pkcs8(from.pkcs8.view());
  if (!key)
    return damaged("holds no private key");
  const auto own = key->public_key();
  if (!own || *own != from.about.public_key)
    return damaged("holds another private key than its public half says");
  return key;
}

} // namespace pfx::crypto::detail
