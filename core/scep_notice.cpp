// The stored form of a notice. Refuses octets that are none, and forms of a newer program.
#include "core/scep_notice.hpp"

#include "core/codec.hpp"

namespace pfx {

namespace {

constexpr std::uint8_t format = 1;

} // namespace

std::string_view name_of(notice_state value) noexcept {
  switch (value) {
    case notice_state::waiting:
      return "waiting";
    case notice_state::confirmed:
      return "confirmed";
    case notice_state::refused:
      return "refused";
  }
  return "unknown";
}

bytes encode(const scep_notice& value) {
  return writer()
    .u8(format)
    .u8(static_cast<std::uint8_t>(value.state))
    .u8(value.succeeded ? 1 : 0)
    .fixed(value.csr_hash)
    .text(value.thumbprint)
    .text(value.serial_number)
    .i64(value.expires)
    .text(value.issuing_authority)
    .text(value.ca_configuration)
    .text(value.certificate_authority)
    .u32(static_cast<std::uint32_t>(value.hresult))
    .text(value.description)
    .text(value.code_text)
    .u32(value.attempts)
    .i64(value.made_at)
    .i64(value.ended_at)
    .take();
}

result<scep_notice> decode_notice(const request_key& key, byte_view octets) {
  reader in(octets);
  if (const auto found = in.u8(); found > format) {
    return failure(errc::store_newer, "scep_notice", "was written by a newer program");
  }
  scep_notice out;
  out.key = key;
  out.state = static_cast<notice_state>(in.u8());
  const auto succeeded = in.u8();
  out.succeeded = succeeded == 1;
  out.csr_hash = in.fixed();
  out.thumbprint = in.text();
  out.serial_number = in.text();
  out.expires = in.i64();
  out.issuing_authority = in.text();
  out.ca_configuration = in.text();
  out.certificate_authority = in.text();
  out.hresult = static_cast<std::int32_t>(in.u32());
  out.description = in.text();
  out.code_text = in.text();
  out.attempts = in.u32();
  out.made_at = in.i64();
  out.ended_at = in.i64();
  if (!in.finished() || succeeded > 1 || out.state < notice_state::waiting
      || out.state > notice_state::refused) {
    return failure(errc::corrupt, "scep_notice", "does not read back");
  }
  return out;
}

} // namespace pfx
