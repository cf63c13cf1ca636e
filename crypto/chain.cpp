// Chains, verified by OpenSSL at security level 2 for any purpose, at a given moment. Refuses
// issuers that are CAs by the leniency of old rules only.
#include "crypto/chain.hpp"

#include "core/limits.hpp"
#include "crypto/openssl.hpp"

#include <openssl/x509_vfy.h>

#include <algorithm>
#include <ctime>

namespace pfx::crypto {

namespace {

constexpr int security_level = 2; ///< 112 bits: no SHA-1, no RSA below 2048
constexpr std::size_t roots_max = 1000;
constexpr std::size_t intermediates_max = 1000;

// The stack does not own what is in it.
void free_stack(STACK_OF(X509) * stack) { sk_X509_free(stack); }

using store_handle = handle<::X509_STORE, ::X509_STORE_free>;
using store_context = handle<::X509_STORE_CTX, ::X509_STORE_CTX_free>;
using borrowed_stack = handle<STACK_OF(X509), &free_stack>;

auto refused(std::string words) { return failure(errc::policy, "certificate", std::move(words)); }

std::string words_of(::X509_STORE_CTX* context) {
  const int code = ::X509_STORE_CTX_get_error(context);
  return std::string(::X509_verify_cert_error_string(code)) + " (at depth "
    + std::to_string(::X509_STORE_CTX_get_error_depth(context)) + ")";
}

unix_ms moment_of(const ::ASN1_TIME* time) {
  std::tm parts{};
  if (::ASN1_TIME_to_tm(time, &parts) != 1)
    return 0;
  return static_cast<unix_ms>(::timegm(&parts)) * 1000;
}

bool prepare(::X509_STORE_CTX* context, ::X509_STORE* store, ::X509* leaf,
             STACK_OF(X509) * intermediates, unix_ms now) {
  if (::X509_STORE_CTX_init(context, store, leaf, intermediates) != 1)
    return false;
  ::X509_VERIFY_PARAM* param = ::X509_STORE_CTX_get0_param(context); // get0: the context's
  ::X509_VERIFY_PARAM_set_time(param, static_cast<std::time_t>(now / 1000));
  ::X509_VERIFY_PARAM_set_auth_level(param, security_level);
  ::X509_VERIFY_PARAM_set_depth(param, static_cast<int>(limits::chain_certificates_max));
  return ::X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY) == 1;
}

/// OpenSSL lets certificates without basicConstraints sign others if their key usage or Netscape's
/// old type says so; between leaf and root we want CA:TRUE (RFC 5280 6.1.4 (k)).
result<chain_window> judge(const STACK_OF(X509) * chain) {
  chain_window window{INT64_MIN, INT64_MAX};
  const int size = sk_X509_num(chain);
  for (int i = 0; i < size; ++i) {
    ::X509* link = sk_X509_value(chain, i);
    if ((::X509_get_extension_flags(link) & EXFLAG_INVALID) != 0) {
      return refused("an extension is malformed (at depth " + std::to_string(i) + ")");
    }
    if (i > 0 && i + 1 < size && (::X509_get_extension_flags(link) & EXFLAG_CA) == 0) {
      return refused("an issuer is no CA (at depth " + std::to_string(i) + ")");
    }
    window.not_before = std::max(window.not_before, moment_of(::X509_get0_notBefore(link)));
    window.not_after = std::min(window.not_after, moment_of(::X509_get0_notAfter(link)));
  }
  return window;
}

} // namespace

struct trust_store::state {
  std::vector<certificate> intermediates; ///< keeps what the stack borrows
  store_handle store;
  borrowed_stack untrusted;
};

trust_store::trust_store(std::unique_ptr<state> s) noexcept : state_(std::move(s)) {}
trust_store::trust_store(trust_store&&) noexcept = default;
trust_store& trust_store::operator=(trust_store&&) noexcept = default;
trust_store::~trust_store() = default;

result<trust_store> trust_store::make(std::vector<certificate> roots,
                                      std::vector<certificate> intermediates) {
  const queue_guard guard;
  if (roots.size() > roots_max || intermediates.size() > intermediates_max) {
    return failure(errc::too_large, "trust", "more than 1000 roots or intermediates");
  }
  auto made = std::make_unique<state>();
  made->intermediates = std::move(intermediates);
  made->store.reset(::X509_STORE_new());
  made->untrusted.reset(sk_X509_new_null());
  if (made->store == nullptr || made->untrusted == nullptr) {
    return failure(drain_errors(errc::crypto, "trust", "making a trust store"));
  }
  for (const certificate& root : roots) {
    // add_cert takes a reference of its own; a certificate twice is no error (OpenSSL >= 1.1.1).
    if (::X509_STORE_add_cert(made->store.get(), detail::access::x509(root)) != 1) {
      return failure(drain_errors(errc::crypto, "trust", "adding a root"));
    }
  }
  for (const certificate& link : made->intermediates) {
    ::X509* x = detail::access::x509(link);
    if (x == nullptr || sk_X509_push(made->untrusted.get(), x) <= 0) {
      return failure(drain_errors(errc::crypto, "trust", "adding an intermediate"));
    }
  }
  return trust_store(std::move(made));
}

result<chain_window> trust_store::verify(const certificate& leaf, unix_ms now) const {
  const queue_guard guard;
  ::X509* x = detail::access::x509(leaf);
  const store_context context(::X509_STORE_CTX_new());
  if (x == nullptr || context == nullptr
      || !prepare(context.get(), state_->store.get(), x, state_->untrusted.get(), now)) {
    return failure(drain_errors(errc::crypto, "certificate", "preparing a verification"));
  }
  if (::X509_verify_cert(context.get()) != 1)
    return refused(words_of(context.get()));
  return judge(::X509_STORE_CTX_get0_chain(context.get())); // get0: the context's
}

result<void> verify_chain(const certificate& leaf, const std::vector<certificate>& intermediates,
                          const std::vector<certificate>& roots, unix_ms now) {
  auto store = trust_store::make(roots, intermediates);
  if (!store)
    return failure(std::move(store).error());
  auto window = store->verify(leaf, now);
  if (!window)
    return failure(std::move(window).error());
  return {};
}

} // namespace pfx::crypto
