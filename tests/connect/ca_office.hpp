// An embedded CA with a clock that a test sets, and what is asked of it in OCSP, octet by octet.
#pragma once

#include <algorithm>

#include "crypto/crl.hpp"
#include "crypto/der.hpp"
#include "crypto/ocsp.hpp"
#include "tests/catch.hpp"
#include "tests/connect/ca_support.hpp"
#include "tests/connect/http_support.hpp"

namespace pfx::test {

namespace x690 = crypto::der;

constexpr std::int64_t hour_ms = 3'600'000;

class set_clock final : public pfx::clock {
public:
  unix_ms now = system_clock().wall() / 1000 * 1000;
  [[nodiscard]] unix_ms wall() const override { return now; }
  [[nodiscard]] boot_ms boot() const override { return now; }
};

/// One CA with a clock that a test sets.
struct office {
  scratch folder;
  ca_world world;
  set_clock time;
  std::unique_ptr<connect::ca::embedded_ca> ca;

  office() { open(); }
  void open(crypto::status_locations where = {}) {
    ca.reset();
    auto options = world.options(folder.path("ca"));
    options.time = &time;
    options.locations = std::move(where);
    ca = good(connect::ca::make_embedded_authority(std::move(options)));
  }
  [[nodiscard]] crypto::certificate issued(const std::string& name) const {
    const auto answer = ca->submit(submission_of(name, make_csr(csr_names(name))));
    REQUIRE(answer.status == connect::ca::ca_status::issued);
    return good(crypto::certificate::from_der(answer.certificate));
  }
  [[nodiscard]] connect::ca::revoke_answer revoke(const crypto::certificate& cert,
                                                  connect::ca::revocation_reason why
                                                  = connect::ca::revocation_reason::superseded,
                                                  unix_ms when = 0) const {
    return ca->revoke({cert.issuer(), cert.serial(), why, when == 0 ? time.now : when});
  }
  [[nodiscard]] crypto::revocation_list list() const {
    return good(crypto::read_crl(good(ca->current_crl())->der, world.identity().cert));
  }
  /// An OCSPRequest about this serial, by SHA-1.
  [[nodiscard]] bytes request(const std::string& serial, byte_view nonce = {},
                              bool of_us = true) const {
    const auto who = world.identity().cert;
    const bytes name = of_us ? crypto::sha1(subject_of(who)) : bytes(20, 1);
    const bytes key = crypto::sha1(key_of(who));
    const auto hash = good(from_hex("300906052b0e03021a0500"));
    const auto number = good(from_hex(serial.size() % 2 == 0 ? serial : "0" + serial));
    const bytes id
      = x690::tlv(x690::sequence,
                  {hash, x690::tlv(x690::octet_string, name), x690::tlv(x690::octet_string, key),
                   x690::unsigned_integer(number)});
    bytes extensions;
    if (!nonce.empty()) {
      const auto oid = x690::oid("1.3.6.1.5.5.7.48.1.2");
      const bytes value
        = x690::tlv(x690::octet_string, byte_view(x690::tlv(x690::octet_string, nonce)));
      extensions = x690::tlv(
        x690::context_constructed(2),
        byte_view(x690::tlv(x690::sequence, byte_view(x690::tlv(x690::sequence, {*oid, value})))));
    }
    const bytes list
      = x690::tlv(x690::sequence, byte_view(x690::tlv(x690::sequence, byte_view(id))));
    return x690::tlv(x690::sequence, byte_view(x690::tlv(x690::sequence, {list, extensions})));
  }

private:
  static std::vector<x690::element> fields_of(const crypto::certificate& cert) {
    const auto whole = x690::only(cert.der(), x690::sequence);
    x690::reader walk(x690::reader(whole->content).next()->content);
    std::vector<x690::element> out;
    while (auto one = walk.next()) {
      out.push_back(*one);
    }
    return out;
  }
  static byte_view subject_of(const crypto::certificate& cert) { return fields_of(cert)[5].whole; }
  static byte_view key_of(const crypto::certificate& cert) {
    x690::reader walk(fields_of(cert)[6].content);
    static_cast<void>(walk.next());
    return walk.next()->content.subspan(1);
  }
};

/// responseStatus; -1 if it is no answer.
inline int status_of(const bytes& reply) {
  const auto whole = x690::only(reply, x690::sequence);
  const auto status = whole ? x690::reader(whole->content).next(x690::enumerated) : std::nullopt;
  return status ? status->content[0] : -1;
}
/// The tag of certStatus in an answer about one certificate: 0x80, 0xa1 or 0x82.
inline int verdict_of(const bytes& reply, const bytes& request) {
  // The certID is repeated as it was asked; what follows it is the status.
  const auto id = good(crypto::read_ocsp_request(request)).asked.at(0).der;
  const auto at = std::search(reply.begin(), reply.end(), id.begin(), id.end());
  return at == reply.end() ? -1 : *(at + static_cast<std::ptrdiff_t>(id.size()));
}

} // namespace pfx::test
