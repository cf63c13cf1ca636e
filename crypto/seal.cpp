// Sealing at rest. A blob opens only at the place, in the store and under the master key that it
// was sealed for.
#include "crypto/seal.hpp"

#include "core/codec.hpp"
#include "crypto/openssl.hpp"
#include "crypto/random.hpp"
#include "crypto/seal_budget.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>

namespace pfx::crypto {

namespace {

constexpr std::uint8_t format_version = 1;
constexpr std::size_t master_key_octets = 32;
constexpr std::size_t key_id_octets = 8;
constexpr std::size_t nonce_octets = 12;
constexpr std::size_t tag_octets = 16;
constexpr std::size_t header_octets = 1 + key_id_octets + 8 + nonce_octets;
constexpr std::size_t plaintext_octets_max = 64u << 20;
constexpr std::size_t store_id_octets_max = 64;
constexpr std::size_t old_subkeys_max = 1024; ///< about 100 epochs of ten record types

struct subkey {
  secret_bytes key;
  seal_budget budget;
};

/// HKDF-SHA-256 (RFC 5869) without salt: the master key is uniformly random already.
result<secret_bytes> derive(const secret_bytes& master_key, byte_view info) {
  const kdf_context context(::EVP_KDF_CTX_new(fetched().hkdf));
  std::array<char, 7> hash{"SHA256"};
  const std::array<::OSSL_PARAM, 4> parameters{
    ::OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, hash.data(), 0),
    ::OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
                                        const_cast<std::uint8_t*>(master_key.data()), // only read
                                        master_key.size()),
    ::OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, const_cast<std::uint8_t*>(info.data()),
                                        info.size()),
    ::OSSL_PARAM_construct_end()};
  secret_bytes out(master_key_octets);
  if (context == nullptr
      || ::EVP_KDF_derive(context.get(), out.data(), out.size(), parameters.data()) != 1) {
    return failure(drain_errors(errc::crypto, "", "deriving a sealing key"));
  }
  return out;
}

/// SHA-256("pfxengine master key id 1" || master key), without a copy of the key in between.
result<bytes> name_key(const secret_bytes& master_key) {
  constexpr std::string_view domain = "pfxengine master key id 1";
  const digest_context context(::EVP_MD_CTX_new());
  digest whole;
  if (context == nullptr || ::EVP_DigestInit_ex(context.get(), fetched().sha256, nullptr) != 1
      || ::EVP_DigestUpdate(context.get(), domain.data(), domain.size()) != 1
      || ::EVP_DigestUpdate(context.get(), master_key.data(), master_key.size()) != 1
      || ::EVP_DigestFinal_ex(context.get(), whole.octets.data(), nullptr) != 1) {
    return failure(drain_errors(errc::crypto, "", "naming the master key"));
  }
  return to_bytes(byte_view(whole.octets).first(key_id_octets));
}

/// A cipher that has seen key, nonce and associated data.
cipher_context start(bool encrypt, const secret_bytes& key, byte_view nonce, byte_view associated) {
  cipher_context context(::EVP_CIPHER_CTX_new());
  int ignored = 0;
  if (context == nullptr
      || ::EVP_CipherInit_ex2(context.get(), fetched().aes_256_gcm, key.data(), nonce.data(),
                              encrypt ? 1 : 0, nullptr)
        != 1
      || ::EVP_CipherUpdate(context.get(), nullptr, &ignored, associated.data(),
                            static_cast<int>(associated.size()))
        != 1) {
    return nullptr;
  }
  return context;
}

bool update(::EVP_CIPHER_CTX* context, std::uint8_t* out, byte_view in) {
  int size = 0;
  return in.empty()
    || (::EVP_CipherUpdate(context, out, &size, in.data(), static_cast<int>(in.size())) == 1
        && size == static_cast<int>(in.size()));
}

bool finish(::EVP_CIPHER_CTX* context) {
  std::array<std::uint8_t, EVP_MAX_BLOCK_LENGTH> rest{};
  int size = 0;
  return ::EVP_CipherFinal_ex(context, rest.data(), &size) == 1 && size == 0;
}

} // namespace

struct sealer::state {
  secret_bytes master_key;
  bytes store_id;
  std::uint64_t epoch = 0;
  bytes key_id;

  std::mutex mutex; ///< guards both maps; the subkeys themselves are safe to share
  std::array<std::shared_ptr<subkey>, 256> own; ///< of this epoch, for ever: they count
  std::map<std::pair<std::uint64_t, std::uint8_t>, std::shared_ptr<subkey>> old;

  result<std::shared_ptr<subkey>> subkey_of(std::uint64_t wanted_epoch, std::uint8_t record_type);
  [[nodiscard]] bytes associated(const seal_place& place) const {
    return writer().blob(store_id).u8(place.record_type).blob(place.key).u8(format_version).take();
  }
};

result<std::shared_ptr<subkey>> sealer::state::subkey_of(std::uint64_t wanted_epoch,
                                                         std::uint8_t record_type) {
  const std::scoped_lock lock(mutex);
  const auto place = std::pair(wanted_epoch, record_type);
  if (wanted_epoch == epoch) {
    if (own[record_type] != nullptr)
      return own[record_type];
  } else if (const auto found = old.find(place); found != old.end()) {
    return found->second;
  }
  const bytes info
    = writer().text("pfxengine seal 1").blob(store_id).u64(wanted_epoch).u8(record_type).take();
  auto derived = derive(master_key, info);
  if (!derived)
    return failure(std::move(derived).error());
  auto made = std::make_shared<subkey>();
  made->key = std::move(*derived);
  if (wanted_epoch == epoch) {
    own[record_type] = made;
    return made;
  }
  // The oldest epoch goes first: its records are the likeliest to be gone.
  if (old.size() >= old_subkeys_max)
    old.erase(old.begin());
  old.emplace(place, made);
  return made;
}

sealer::sealer(std::unique_ptr<state> s) noexcept : state_(std::move(s)) {}
sealer::sealer(sealer&&) noexcept = default;
sealer& sealer::operator=(sealer&&) noexcept = default;
sealer::~sealer() = default;

result<sealer> sealer::make(secret_bytes master_key, byte_view store_id, std::uint64_t epoch) {
  const queue_guard guard;
  if (master_key.size() != master_key_octets) {
    return failure(errc::bad_input, "masterKey", "must have 32 octets");
  }
  if (store_id.empty() || store_id.size() > store_id_octets_max) {
    return failure(errc::bad_input, "storeId", "must have 1 to 64 octets");
  }
  auto id = name_key(master_key);
  if (!id)
    return failure(std::move(id).error());
  auto made = std::make_unique<state>();
  made->master_key = std::move(master_key);
  made->store_id = to_bytes(store_id);
  made->epoch = epoch;
  made->key_id = std::move(*id);
  return sealer(std::move(made));
}

result<bytes> master_key_id(const secret_bytes& master_key) {
  const queue_guard guard;
  return name_key(master_key);
}

bytes sealer::key_id() const { return state_->key_id; }

result<bytes> sealer::seal(const seal_place& place, byte_view plaintext) const {
  const queue_guard guard;
  if (plaintext.size() > plaintext_octets_max) {
    return failure(errc::too_large, "plaintext", "more than 64 MiB in one sealed record");
  }
  auto under = state_->subkey_of(state_->epoch, place.record_type);
  if (!under)
    return failure(std::move(under).error());
  if (!(*under)->budget.take()) {
    return failure(errc::too_large, "epoch", "2^32 records were sealed in this epoch; start anew");
  }
  const bytes nonce = random_bytes(nonce_octets);
  writer head;
  head.u8(format_version);
  bytes out = head.take();
  out.reserve(header_octets + plaintext.size() + tag_octets);
  out.insert(out.end(), state_->key_id.begin(), state_->key_id.end());
  const bytes epoch = writer().u64(state_->epoch).take();
  out.insert(out.end(), epoch.begin(), epoch.end());
  out.insert(out.end(), nonce.begin(), nonce.end());
  out.resize(header_octets + plaintext.size() + tag_octets);
  std::uint8_t* const ciphertext = out.data() + header_octets;
  const bytes associated = state_->associated(place);
  const cipher_context context = start(true, (*under)->key, nonce, associated);
  if (context == nullptr || !update(context.get(), ciphertext, plaintext) || !finish(context.get())
      || ::EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_octets,
                               ciphertext + plaintext.size())
        != 1) {
    return failure(drain_errors(errc::crypto, "", "sealing"));
  }
  return out;
}

result<secret_bytes> sealer::open(const seal_place& place, byte_view sealed) const {
  const queue_guard guard;
  const auto corrupt
    = [] { return failure(errc::corrupt, "sealed", "the sealed record does not verify"); };
  if (sealed.size() < header_octets + tag_octets
      || sealed.size() > header_octets + plaintext_octets_max + tag_octets
      || sealed[0] != format_version) {
    return corrupt();
  }
  if (!std::ranges::equal(sealed.subspan(1, key_id_octets), state_->key_id)) {
    return failure(errc::wrong_key, "sealed", "the record was sealed under another master key");
  }
  reader head(sealed.subspan(1 + key_id_octets, 8));
  auto under = state_->subkey_of(head.u64(), place.record_type);
  if (!under)
    return failure(std::move(under).error());
  const byte_view nonce = sealed.subspan(header_octets - nonce_octets, nonce_octets);
  const byte_view ciphertext
    = sealed.subspan(header_octets, sealed.size() - header_octets - tag_octets);
  bytes tag = to_bytes(sealed.last(tag_octets));
  secret_bytes plaintext(ciphertext.size());
  const bytes associated = state_->associated(place);
  const cipher_context context = start(false, (*under)->key, nonce, associated);
  if (context == nullptr)
    return failure(drain_errors(errc::crypto, "", "opening a sealed record"));
  // On failure the unverified plaintext is wiped with `plaintext` and never seen by anybody.
  if (!update(context.get(), plaintext.data(), ciphertext)
      || ::EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_octets, tag.data()) != 1
      || !finish(context.get())) {
    return corrupt();
  }
  return plaintext;
}

} // namespace pfx::crypto
