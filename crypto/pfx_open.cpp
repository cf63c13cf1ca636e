// Opens the parts of a PKCS#12 file with a password, one after the other, each derivation within
// its budget. Refuses what goes over a limit inside an encryption as it is refused outside.
#include "crypto/openssl.hpp"
#include "crypto/pfx_ber.hpp"
#include "crypto/pfx_derive.hpp"

namespace pfx::crypto::pfx_parts {

namespace {

/// Iterations run and known, over all forms of the password.
struct account {
  std::int64_t budget = 0;
  std::int64_t run = 0;
};

/// Plain octets that can be viewed with der.hpp.
std::optional<secret_bytes> definite(secret_bytes plain) {
  if (ber::is_definite(plain.view()))
    return plain;
  secret_bytes out(plain.size() + ber::growth_octets_max);
  const auto size = ber::make_definite(plain.view(), std::span(out.data(), out.size()));
  if (!size)
    return std::nullopt;
  out.shrink(*size);
  return out;
}

/// One pass over the file with one form of the password.
class attempt {
public:
  attempt(const frame& file, const password_form& password, account& spent,
          const lock_listener& opened)
      : file_(file), password_(password), spent_(spent), opened_(opened), seen_(file.seen),
        run_before_(spent.run) {}

  pfx_result<void> check_mac() {
    if (!file_.mac)
      return {};
    if (auto admitted = admit(file_.mac->key.iterations); !admitted)
      return admitted;
    auto verified = verify(*file_.mac, file_.authenticated, password_);
    out_.mac_verified = verified.has_value();
    return verified;
  }
  /// For a form that gives the same MAC key as one that was verified.
  void take_mac_as_verified() {
    out_.mac_verified = true;
    seen_.iterations -= file_.mac->key.iterations; // they were run before
  }

  pfx_result<pfx_contents> open_all() {
    for (const safe& one : file_.safes) {
      if (auto taken = one.lock ? open_safe(*one.lock) : take(one.bags, false); !taken)
        return tl::unexpected(std::move(taken).error());
    }
    if (!out_.mac_verified && !key_was_locked_)
      return refuse(reason::not_opened,
                    "the file has no MAC and no encrypted key: nothing proves "
                    "the password");
    out_.iterations = spent_.run;
    out_.password_transcoded = password_.transcoded;
    return std::move(out_);
  }

private:
  /// Before every derivation: all counts known by now, run or not. The limit is the file's, and
  /// holds for each pass by itself; what the passes before have run counts in the budget alone.
  pfx_result<void> admit(std::int64_t next) {
    if (seen_.iterations > pfx_limits::iterations_max)
      return refuse(reason::too_much, "the iteration counts are over 2,000,000 in sum");
    if (run_before_ + seen_.iterations > spent_.budget)
      return refuse(reason::needs_time, "the iterations are over the budget");
    spent_.run += next;
    return {};
  }

  /// Without a MAC, what is wrong inside an encryption must not be told apart from a wrong
  /// password: whoever sends changed files could decrypt with the answers.
  pfx_refusal inside(pfx_refusal what) const {
    if (!out_.mac_verified && what.why != reason::needs_time)
      what.why = reason::not_opened;
    return what;
  }

  pfx_result<secret_bytes> unlock(const encryption& lock, bool of_key) {
    if (auto admitted = admit(lock.key.iterations); !admitted)
      return tl::unexpected(std::move(admitted).error());
    auto plain = decrypt(lock, password_);
    if (!plain)
      return plain;
    auto out = definite(std::move(*plain));
    if (!out)
      return refuse(reason::not_opened, "an encrypted part is damaged");
    if (opened_)
      opened_(lock, of_key);
    return std::move(*out);
  }

  pfx_result<void> open_safe(const encryption& lock) {
    auto plain = unlock(lock, false);
    if (!plain)
      return tl::unexpected(std::move(plain).error());
    std::vector<bag> bags;
    auto read = read_bags(plain->view(), seen_, bags);
    if (read)
      read = take(bags, true);
    if (!read)
      return tl::unexpected(inside(std::move(read).error()));
    return {};
  }

  pfx_result<void> take(const std::vector<bag>& bags, bool locked) {
    for (const bag& one : bags) {
      auto taken = one.of == bag::kind::certificate ? take_certificate(one) : take_key(one, locked);
      if (!taken)
        return taken;
    }
    return {};
  }

  pfx_result<void> take_certificate(const bag& from) {
    auto cert = certificate::from_der(from.value);
    if (!cert) {
      const bool large = cert.error().code == errc::too_large;
      return refuse(large ? reason::too_much : reason::malformed,
                    large ? "a certificate is too large" : "a certificate is malformed");
    }
    out_.certificates.push_back({std::move(*cert), from.friendly_name, from.local_key_id});
    return {};
  }

  pfx_result<void> take_key(const bag& from, bool locked) {
    if (!from.lock) {
      auto key = adopt_key(from.value);
      if (!key)
        return tl::unexpected(std::move(key).error());
      key_was_locked_ = key_was_locked_ || locked;
      out_.keys.push_back(std::move(*key));
      return {};
    }
    auto plain = unlock(*from.lock, true);
    if (!plain)
      return tl::unexpected(std::move(plain).error());
    auto key = adopt_key(plain->view());
    if (!key)
      return tl::unexpected(inside(std::move(key).error()));
    key_was_locked_ = true;
    out_.keys.push_back(std::move(*key));
    return {};
  }

  const frame& file_;
  const password_form& password_;
  account& spent_;
  const lock_listener& opened_;
  tally seen_;
  std::int64_t run_before_;
  bool key_was_locked_ = false;
  pfx_contents out_;
};

} // namespace

pfx_result<pfx_contents> open_frame(const frame& file, const secret_bytes& password,
                                    std::int64_t iterations_budget, const lock_listener& opened) {
  const queue_guard guard;
  if (password.size() > pfx_limits::password_octets_max)
    return refuse(reason::too_much, "the password is longer than 512 octets");
  const auto forms = forms_of(password);
  account spent{iterations_budget, 0};
  pfx_result<pfx_contents> last = refuse(reason::not_opened, "the password cannot be read");
  const password_form* verified = nullptr; ///< a form with which the MAC held
  for (std::size_t turn = 0; turn < pfx_limits::passes_max && !forms.empty(); ++turn) {
    const bool again = turn >= forms.size();
    const password_form& form = again ? forms.back() : forms[turn];
    attempt now(file, form, spent, opened);
    const bool same_mac_key = verified != nullptr && file.mac
      && file.mac->key.by == derivation::scheme::pkcs12
      && equal_constant_time(verified->bmp.view(), form.bmp.view());
    if (same_mac_key) {
      now.take_mac_as_verified();
    } else if (auto held = now.check_mac(); !held) {
      last = tl::unexpected(std::move(held).error());
      if (last.error().why != reason::not_opened)
        break;
      continue;
    }
    verified = &form;
    auto end = now.open_all();
    if (!again || !end)
      last = std::move(end);
    if (last || last.error().why != reason::not_opened)
      break;
  }
  return last;
}

} // namespace pfx::crypto::pfx_parts
