// The cache of tokens, and the order in which credentials are tried.
#include "connect/intune/token.hpp"

#include <algorithm>
#include <map>
#include <mutex>

#include "connect/http/address.hpp"
#include "connect/intune/token_request.hpp"
#include "crypto/random.hpp"

namespace pfx::connect::intune {

namespace {

/// What is known about one scope. `asking` is held while the server is asked; the rest belongs to
/// the source's mutex.
struct slot {
  std::mutex asking;
  bearer held;
  boot_ms renew_at = 0;
  boot_ms end_at = 0;
  std::uint64_t asked = 0;         ///< questions that ended
  std::optional<call_error> fault; ///< of the last one
};

/// Owner of the credentials and of every token it gave out and still holds.
class client_credentials final : public token_source {
public:
  client_credentials(web& over, token_settings settings, token_surroundings around)
      : over_(over), settings_(std::move(settings)), around_(std::move(around)) {}

  answer<bearer> token(const std::string& scope) override;
  void drop(const std::string& scope, const bearer& refused) override;
  [[nodiscard]] std::vector<credential_state> credentials() const override;
  [[nodiscard]] std::vector<credential_state> expiring(std::int64_t within_ms) const override;

private:
  [[nodiscard]] slot* slot_of(const std::string& scope);
  answer<bearer> renew(slot& at, const std::string& scope);
  answer<bearer> keep(slot& at, token_grant grant);
  answer<bearer> bear(slot& at, call_error fault);
  tl::expected<token_grant, call_error> ask(const std::string& scope);
  [[nodiscard]] std::vector<std::size_t> order() const;
  [[nodiscard]] boot_ms boot() const { return around_.time->boot(); }

  web& over_;
  const token_settings settings_;
  const token_surroundings around_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<slot>> slots_;
  std::optional<std::size_t> working_;
};

slot* client_credentials::slot_of(const std::string& scope) {
  std::lock_guard lock(mutex_);
  auto found = slots_.find(scope);
  if (found == slots_.end()) {
    if (slots_.size() >= scopes_max)
      return nullptr;
    found = slots_.emplace(scope, std::make_unique<slot>()).first;
  }
  return found->second.get();
}

answer<bearer> client_credentials::token(const std::string& scope) {
  slot* at = slot_of(scope);
  if (at == nullptr)
    return refusal({errc::internal, "scope", "is one too many"});
  {
    std::lock_guard lock(mutex_);
    if (at->held && boot() < at->renew_at)
      return at->held;
  }
  return renew(*at, scope);
}

/// One thread asks; the others take the old token while it lives, else wait for the answer and take
/// that, be it a fault: a dead server is not asked by each of them in turn.
answer<bearer> client_credentials::renew(slot& at, const std::string& scope) {
  std::uint64_t seen = 0;
  {
    std::lock_guard lock(mutex_);
    seen = at.asked;
  }
  std::unique_lock asking(at.asking, std::try_to_lock);
  if (!asking.owns_lock()) {
    {
      std::lock_guard lock(mutex_);
      if (at.held && boot() < at.end_at)
        return at.held;
    }
    asking.lock(); // no longer than the calls of the one that asks
  }
  {
    std::lock_guard lock(mutex_);
    if (at.held && boot() < at.renew_at)
      return at.held;
    if (at.asked != seen && at.fault)
      return tl::unexpected(*at.fault);
  }
  auto got = ask(scope);
  std::lock_guard lock(mutex_);
  ++at.asked;
  return got ? keep(at, std::move(*got)) : bear(at, std::move(got.error()));
}

/// A tenth to a fifth of a token's life is left when it is renewed, at random, so that several
/// connectors do not ask together.
answer<bearer> client_credentials::keep(slot& at, token_grant grant) {
  const std::int64_t tenth = grant.life_ms / 10;
  const std::uint64_t dice = around_.random ? around_.random() : crypto::random_u64();
  const auto early
    = tenth + static_cast<std::int64_t>(dice % static_cast<std::uint64_t>(tenth + 1));
  at.end_at = boot() + grant.life_ms;
  at.renew_at = at.end_at - early;
  at.held = std::make_shared<const secret_bytes>(std::move(grant.token));
  at.fault.reset();
  return at.held;
}

answer<bearer> client_credentials::bear(slot& at, call_error fault) {
  const boot_ms now = boot();
  at.fault = fault;
  if (!at.held || now >= at.end_at || fault.what.code == errc::stopping) {
    at.held.reset();
    return tl::unexpected(std::move(fault));
  }
  at.renew_at = std::min(at.end_at, now + std::max(token_renewal_rest_ms, fault.retry_after_ms));
  return at.held;
}

/// The one that worked last, then the rest as listed; those past their end by our clock, which may
/// be wrong, come last.
std::vector<std::size_t> client_credentials::order() const {
  std::vector<std::size_t> out(settings_.credentials.size());
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = i;
  const unix_ms now = around_.time->wall();
  std::optional<std::size_t> first;
  {
    std::lock_guard lock(mutex_);
    first = working_;
  }
  std::stable_sort(out.begin(), out.end(), [&](std::size_t left, std::size_t right) {
    auto rank = [&](std::size_t index) {
      if (settings_.credentials[index].end().value_or(INT64_MAX) <= now)
        return 2;
      return first == index ? 0 : 1;
    };
    return rank(left) < rank(right);
  });
  return out;
}

tl::expected<token_grant, call_error> client_credentials::ask(const std::string& scope) {
  constexpr std::size_t words_max = 1'000;
  std::optional<call_error> all;
  std::size_t tried = 0;
  for (const std::size_t index : order()) {
    auto got = ask_for_token(over_, {&settings_, index, &scope, around_.time->wall()});
    if (got.grant) {
      std::lock_guard lock(mutex_);
      working_ = index;
      return std::move(*got.grant);
    }
    if (!got.credential_refused)
      return tl::unexpected(std::move(got.fault));
    ++tried;
    if (!all)
      all = std::move(got.fault);
    else if (all->what.message.size() < words_max)
      all->what.message += "; " + got.fault.what.field + ": " + got.fault.what.message;
  }
  if (tried > 1)
    all->what.message += " (all " + std::to_string(tried) + " credentials were refused)";
  return tl::unexpected(std::move(*all));
}

void client_credentials::drop(const std::string& scope, const bearer& refused) {
  std::lock_guard lock(mutex_);
  auto found = slots_.find(scope);
  if (found != slots_.end() && found->second->held == refused)
    found->second->held.reset();
}

std::vector<credential_state> client_credentials::credentials() const {
  std::lock_guard lock(mutex_);
  std::vector<credential_state> out;
  for (std::size_t i = 0; i < settings_.credentials.size(); ++i) {
    const credential& one = settings_.credentials[i];
    out.push_back({i, one.name, one.is_certificate(), one.end(), working_ == i});
  }
  return out;
}

std::vector<credential_state> client_credentials::expiring(std::int64_t within_ms) const {
  const unix_ms horizon = around_.time->wall() + within_ms;
  auto out = credentials();
  std::erase_if(
    out, [horizon](const credential_state& one) { return !one.expires || *one.expires > horizon; });
  return out;
}

result<void> check_settings(const token_settings& settings) {
  if (auto url = http::parse_address(settings.token_url, "tokenUrl"); !url)
    return failure(url.error());
  const std::string& id = settings.client_id;
  if (id.find_first_not_of(" \t") == std::string::npos)
    return failure(errc::bad_input, "clientId", "is missing");
  if (id.size() > 256
      || !std::all_of(id.begin(), id.end(), [](char c) { return c > 0x20 && c < 0x7f; }))
    return failure(errc::bad_input, "clientId", "is no application id");
  if (settings.credentials.empty())
    return failure(errc::bad_input, "credentials", "is empty");
  if (settings.credentials.size() > credentials_max)
    return failure(errc::too_large, "credentials", "is over 8");
  for (std::size_t i = 0; i < settings.credentials.size(); ++i)
    if (auto good = check(settings.credentials[i], i); !good)
      return failure(good.error());
  return {};
}

} // namespace

result<std::unique_ptr<token_source>> make_token_source(web& over, token_settings settings,
                                                        token_surroundings around) {
  if (auto good = check_settings(settings); !good)
    return failure(good.error());
  return std::unique_ptr<token_source>(
    new client_credentials(over, std::move(settings), std::move(around)));
}

} // namespace pfx::connect::intune
