// What a SCEP service has to be told about one request: that a certificate was issued, or why not.
// A value with its stored form; it makes no call and knows no clock. docs/lifecycle.md, SCEP
// notices.
#pragma once

#include <cstdint>
#include <string>

#include "core/request.hpp"

namespace pfx {

enum class notice_state : std::uint8_t {
  waiting = 1, ///< durable, and the service has not answered yet
  confirmed,   ///< the service said "Success"
  refused,     ///< the service said something else: that is its word, and it is final
};
[[nodiscard]] std::string_view name_of(notice_state value) noexcept;

struct scep_notice {
  request_key key; ///< flow::scep; the context is the SCEP transaction id
  notice_state state = notice_state::waiting;
  bool succeeded = false; ///< which of the two it is
  digest csr_hash;        ///< SHA-256 of the PKCS#10; the request itself lies sealed beside it

  // -- of a success ------
  std::string thumbprint;    ///< SHA-1, 40 hexadecimal digits
  std::string serial_number; ///< as it will come back in revocation orders
  unix_ms expires = 0;
  std::string issuing_authority;
  std::string ca_configuration;
  std::string certificate_authority;

  // -- of a failure ------
  std::int32_t hresult = 0;
  std::string description;

  // -- what came of it ------
  std::string code_text; ///< the service's last word; printable
  std::uint32_t attempts = 0;
  unix_ms made_at = 0;
  unix_ms ended_at = 0; ///< 0 while it waits

  bool operator==(const scep_notice&) const = default;
};

[[nodiscard]] bytes encode(const scep_notice& value); ///< without the key
[[nodiscard]] result<scep_notice> decode_notice(const request_key& key, byte_view octets);

} // namespace pfx
