// Loads private keys of our own writing without leaving copies of them in freed memory.
#include "crypto/der.hpp"
#include "crypto/key_der.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <bit>

namespace pfx::crypto {

namespace {

using pkey_context = handle<::EVP_PKEY_CTX, ::EVP_PKEY_CTX_free>;

constexpr std::size_t own_octets_max = 16u << 10;

struct own_frame {
  byte_view algorithm; ///< AlgorithmIdentifier, whole
  byte_view inner;     ///< RSAPrivateKey or ECPrivateKey, whole
};

std::optional<own_frame> open_frame(byte_view octets) {
  const auto outer = der::only(octets, der::sequence);
  if (!outer)
    return std::nullopt;
  der::reader walk(outer->content);
  const auto version = walk.next(der::integer);
  const auto algorithm = walk.next(der::sequence);
  const auto inner = walk.next(der::octet_string);
  if (!version || !algorithm || !inner || !walk.at_end())
    return std::nullopt;
  return own_frame{algorithm->whole, inner->content};
}

/// Lays unsigned big-endian numbers into `room` in the machine's order, as OSSL_PARAM wants them.
class number_room {
public:
  explicit number_room(std::size_t size) : room_(size) {}

  ::OSSL_PARAM lay(const char* name, byte_view magnitude) {
    std::uint8_t* const at = room_.data() + used_;
    if constexpr (std::endian::native == std::endian::little)
      std::reverse_copy(magnitude.begin(), magnitude.end(), at);
    else
      std::copy(magnitude.begin(), magnitude.end(), at);
    used_ += magnitude.size();
    return ::OSSL_PARAM_construct_BN(name, at, magnitude.size());
  }

private:
  secret_bytes room_;
  std::size_t used_ = 0;
};

pkey_handle make_key(const char* type, ::OSSL_PARAM* parameters) {
  const pkey_context context(::EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  ::EVP_PKEY* made = nullptr;
  if (context == nullptr || ::EVP_PKEY_fromdata_init(context.get()) != 1
      || ::EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, parameters) != 1)
    return nullptr;
  return pkey_handle(made);
}

pkey_handle load_rsa(byte_view inner) {
  static constexpr std::array<const char*, 8> names{
    OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,           OSSL_PKEY_PARAM_RSA_D,
    OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,     OSSL_PKEY_PARAM_RSA_EXPONENT1,
    OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
  const auto outer = der::only(inner, der::sequence);
  if (!outer)
    return nullptr;
  der::reader walk(outer->content);
  if (!walk.next(der::integer)) // the version; a wrong one shows when the key is written again
    return nullptr;
  number_room room(inner.size());
  std::array<::OSSL_PARAM, names.size() + 1> parameters{};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto number = walk.next(der::integer);
    if (!number || number->content.empty() || (number->content[0] & 0x80) != 0)
      return nullptr;
    parameters[i] = room.lay(names[i], number->content);
  }
  parameters.back() = ::OSSL_PARAM_construct_end();
  return walk.at_end() ? make_key("RSA", parameters.data()) : nullptr;
}

pkey_handle load_ec(byte_view inner, std::string_view group) {
  const auto outer = der::only(inner, der::sequence);
  if (!outer)
    return nullptr;
  der::reader walk(outer->content);
  const auto version = walk.next(der::integer);
  const auto scalar = walk.next(der::octet_string);
  const auto wrapped = walk.next(der::context_constructed(1));
  const auto point = wrapped ? der::only(wrapped->content, der::bit_string) : std::nullopt;
  if (!version || !scalar || scalar->content.empty() || !point || point->content.size() < 2
      || point->content[0] != 0 || !walk.at_end())
    return nullptr;
  number_room room(scalar->content.size());
  std::string name(group);
  bytes octets = to_bytes(point->content.subspan(1));
  std::array<::OSSL_PARAM, 4> parameters{
    ::OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name.data(), 0),
    ::OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets.data(), octets.size()),
    room.lay(OSSL_PKEY_PARAM_PRIV_KEY, scalar->content), ::OSSL_PARAM_construct_end()};
  return make_key("EC", parameters.data());
}

} // namespace

pkey_handle key_from_own_info(byte_view octets) {
  const queue_guard guard;
  const auto frame = octets.size() <= own_octets_max ? open_frame(octets) : std::nullopt;
  if (!frame)
    return nullptr;
  const std::string_view group = group_with_algorithm(frame->algorithm);
  pkey_handle key = group.empty() ? load_rsa(frame->inner) : load_ec(frame->inner, group);
  if (key == nullptr)
    return nullptr;
  // What does not come out as it went in was not of our form, or was misread.
  const auto again = private_key_info(key.get());
  if (!again || !equal_constant_time(again->view(), octets))
    return nullptr;
  return key;
}

} // namespace pfx::crypto
