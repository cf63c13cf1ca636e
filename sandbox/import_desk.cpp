// Announced keys and sealed passwords.
#include "sandbox/import_desk.hpp"

#include <array>
#include <optional>

#include "crypto/rsa_decrypt.hpp"
#include "sandbox/odd_ciphertext.hpp"

namespace pfx::sandbox {

namespace service = connect::service;
using crypto::rsa_padding;

namespace {

constexpr std::uint64_t choice_stream = 0x1a9047;
constexpr std::size_t long_password_octets = 190; ///< all that OAEP-SHA-256 takes with 2048 bits
/// By how much they take, most first.
constexpr std::array paddings
  = {rsa_padding::oaep_sha256, rsa_padding::oaep_sha384, rsa_padding::oaep_sha512};

/// The protocol's word, sometimes as Microsoft's clients write it: "OaepSha512".
std::string word_of(rsa_padding padding, dice& choice) {
  std::string out(crypto::name_of(padding));
  if (choice.below(4) == 0) {
    out[0] = static_cast<char>(out[0] - 'a' + 'A');
  }
  return out;
}

bytes password_of(const order& what) {
  switch (what.brought.how) {
    case sealing::other_password:
      return to_bytes("not the password");
    case sealing::empty_password:
      return {};
    case sealing::long_password:
      return bytes(long_password_octets, 'p');
    default:
      return to_bytes(what.brought.file->password);
  }
}

/// The padding whose turn it is, or the next one that the password fits into.
result<bytes> encrypt_in_turn(byte_view key, byte_view password, std::size_t& turn) {
  for (;; --turn) {
    auto out = crypto::rsa_encrypt(key, paddings[turn], password);
    if (out || out.error().code != errc::too_large || turn == 0) {
      return out;
    }
  }
}

void spoil_octets(bytes& ciphertext, sealing how, dice& choice) {
  if (how == sealing::one_less) {
    ciphertext.pop_back();
  } else if (how == sealing::one_more) {
    ciphertext.push_back(0);
  } else if (how == sealing::random_octets) {
    for (auto& octet : ciphertext) {
      octet = static_cast<std::uint8_t>(choice.below(256));
    }
  }
}

std::optional<oaep_form> odd_form_of(sealing how) {
  switch (how) {
    case sealing::oaep_sha1:
      return oaep_form{oaep_hash::sha1, oaep_hash::sha1, {}};
    case sealing::oaep_label:
      return oaep_form{oaep_hash::sha256, oaep_hash::sha256, "label"};
    case sealing::oaep_mask_sha1:
      return oaep_form{oaep_hash::sha256, oaep_hash::sha1, {}};
    default:
      return std::nullopt;
  }
}

} // namespace

result<std::vector<service::import_key>> import_desk::announce(
  const std::vector<service::import_key>& keys) {
  const std::scoped_lock lock(mutex_);
  std::vector<service::import_key> fresh;
  std::map<std::pair<std::string, std::string>, const service::import_key*> named;
  for (const auto& one : keys) {
    const auto name = std::pair(one.provider_name, one.key_name);
    const auto known = by_name_.find(name);
    const auto* stands
      = known != by_name_.end() ? &keys_[known->second] : named.emplace(name, &one).first->second;
    if (stands->public_key != one.public_key) {
      return failure(errc::conflict, "keyName",
                     printable(one.key_name) + " stands for another key");
    }
    const bool first = known == by_name_.end() && stands == &one;
    if (first && !crypto::rsa_encrypt(one.public_key, rsa_padding::oaep_sha256, {})) {
      return failure(errc::bad_input, "publicKey", "is no RSA key to encrypt to");
    }
    if (first) {
      fresh.push_back(one);
    }
  }
  if (keys_.size() + fresh.size() > keys_max) {
    return failure(errc::too_large, "keys", "are too many");
  }
  for (const auto& one : fresh) {
    by_name_[{one.provider_name, one.key_name}] = keys_.size();
    keys_.push_back(one);
  }
  return fresh;
}

bool import_desk::has_key() const {
  const std::scoped_lock lock(mutex_);
  return !keys_.empty();
}

result<void> import_desk::complete(order& what) {
  if (what.brought.file == nullptr) {
    return {};
  }
  const std::scoped_lock lock(mutex_);
  auto at = sealed_.find(what.index);
  if (at == sealed_.end()) {
    if (keys_.empty()) {
      return {};
    }
    auto made = seal(what);
    if (!made) {
      return failure(made.error());
    }
    at = sealed_.emplace(what.index, std::move(*made)).first;
  }
  auto& import = what.request.import;
  import.provider_name = at->second.provider;
  import.key_name = at->second.key;
  import.padding_scheme = at->second.padding;
  import.encrypted_password = at->second.password;
  return {};
}

/// What the order names already stays: that is what is wrong with it.
result<import_desk::sealed> import_desk::seal(const order& what) const {
  dice choice(seed_ ^ choice_stream, what.index);
  const auto& key = keys_[choice.below(keys_.size())];
  const auto& asked = what.request.import;
  const auto how = what.brought.how;
  std::size_t turn = what.index % paddings.size();
  auto ciphertext = encrypt(what, key.public_key, turn);
  if (!ciphertext) {
    return failure(ciphertext.error());
  }
  spoil_octets(*ciphertext, how, choice);
  const auto said = how == sealing::other_hash ? rsa_padding::oaep_sha512 : paddings[turn];
  return sealed{asked.provider_name.empty() ? key.provider_name : asked.provider_name,
                asked.key_name.empty() ? key.key_name : asked.key_name,
                asked.padding_scheme.empty() ? word_of(said, choice) : asked.padding_scheme,
                std::move(*ciphertext)};
}

/// `padding` is the turn, and then what was taken.
result<bytes> import_desk::encrypt(const order& what, byte_view public_key,
                                   std::size_t& padding) const {
  const auto how = what.brought.how;
  const auto password = password_of(what);
  if (how == sealing::pkcs1) {
    return crypto::rsa_encrypt(public_key, rsa_padding::pkcs1, password);
  }
  if (how == sealing::other_hash || how == sealing::long_password) {
    padding = 0;
  }
  if (const auto odd = odd_form_of(how)) {
    padding = 0; // they call themselves SHA-256
    return encrypt_oddly(public_key, *odd, password);
  }
  return encrypt_in_turn(how == sealing::other_key ? byte_view(other_key_) : public_key, password,
                         padding);
}

} // namespace pfx::sandbox
