// What strangers send to a CA's public place, OCSP requests, and what strangers publish, revocation
// lists: whole, or signed anew by the target, because a mutated one would end at its signature.
#include "crypto/crl.hpp"
#include "crypto/ocsp.hpp"
#include "crypto/sign.hpp"
#include "tests/fuzz/target.hpp"

using namespace pfx;

namespace {

constexpr unix_ms now = 1'793'534'400'000; // 2026-11-01T12:00:00Z

/// The throw-away key and certificate that seeds are made with.
const crypto::ca_identity& issuer() {
  static const crypto::ca_identity one = [] {
    auto cert = crypto::certificate::from_pem(fuzz::data_text("fuzz-keys/ec.pem"));
    auto key = crypto::private_key::from_pem(fuzz::data_text("fuzz-keys/ec.key"));
    fuzz::promise(cert && key, "the issuer of the seeds can be read");
    return crypto::ca_identity{std::move(*cert), std::move(*key)};
  }();
  return one;
}

const crypto::ca_identity& responder() {
  static const crypto::ca_identity one = [] {
    auto key = crypto::private_key::generate(key_algorithm::ec_p256);
    fuzz::promise(key.has_value(), "a responder's key can be made");
    auto cert = crypto::issue_ocsp_responder(issuer(), *key, now, now + 1000);
    fuzz::promise(cert.has_value(), "a responder can be made");
    return crypto::ca_identity{std::move(*cert), std::move(*key)};
  }();
  return one;
}

/// What was read can be written, unless it has what we never write, and reads the same then.
void judge(const crypto::revocation_list& list) {
  for (std::size_t at = 1; at < list.revoked.size(); ++at)
    fuzz::promise(list.revoked[at - 1].serial != list.revoked[at].serial, "a serial stands once");
  for (const auto& one : list.revoked)
    fuzz::promise(list.find(one.serial) == &one, "a line is found by its serial");
  const auto made = crypto::make_crl(issuer(), {1, now, now + 1000, list.revoked});
  if (!made)
    return;
  const auto again = crypto::read_crl(*made, issuer().cert);
  fuzz::promise(again && again->revoked == list.revoked, "a list survives its own writing");
}

} // namespace

PFX_FUZZ_TARGET(ocsp) {
  const auto request = crypto::read_ocsp_request(input);
  if (!request)
    return;
  fuzz::promise(!request->asked.empty() && request->asked.size() <= crypto::ocsp_certificates_max,
                "a request asks for some certificates, not many");
  fuzz::promise(request->nonce.size() <= crypto::ocsp_nonce_bytes_max, "a nonce is short");
  const crypto::ocsp_issuer own(issuer().cert);
  std::vector<crypto::ocsp_answer> answers;
  for (const auto& id : request->asked) {
    answers.push_back({own.is_named_by(id) ? crypto::certificate_status::revoked
                                           : crypto::certificate_status::unknown,
                       now, 4});
  }
  const auto reply
    = crypto::sign_ocsp_response(responder(), {*request, answers, now, now + 1000, now});
  fuzz::promise(reply && reply->size() > input.size() / 2, "what was understood is answered");
}

PFX_FUZZ_TARGET(crl) {
  const auto [which, rest] = fuzz::choose(input, 2);
  bytes whole = to_bytes(rest);
  if (which == 1) {
    auto signed_one = crypto::sign_structure(rest, crypto::detail::access::pkey(issuer().key),
                                             hash_algorithm::sha256);
    fuzz::promise(signed_one.has_value(), "anything can be signed");
    whole = std::move(*signed_one);
  }
  const auto list = crypto::read_crl(whole, issuer().cert);
  if (list)
    judge(*list);
}
