// A tenant for tests: sign-in, Graph and two Intune services behind one in-process TLS server, and
// clocks that stand still. What it answers can be changed while it runs; what it was asked is kept.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>

#include "connect/intune/connection.hpp"
#include "connect/intune/token.hpp"
#include "tests/connect/http_support.hpp"

namespace pfx::test {

namespace intune = connect::intune;
using connect::http::server_request;
using connect::http::server_response;

/// Moves only when it is told to.
class still_clock final : public clock {
public:
  [[nodiscard]] unix_ms wall() const override { return 1'793'534'400'000 + passed_.load(); }
  [[nodiscard]] boot_ms boot() const override { return 1'000'000 + passed_.load(); }
  void pass(std::int64_t ms) { passed_ += ms; }

private:
  std::atomic<std::int64_t> passed_{0};
};

/// A door of the tenant.
enum class door { sign_in, graph, service };

class tenant {
public:
  using answerer = std::function<server_response(const server_request&)>;

  tenant();
  /// Replaces what a door answers.
  void answer(door at, answerer with);
  void answer(door at, int status, std::string body,
              std::map<std::string, std::string> headers = {});
  /// As at first.
  void restore(door at);
  [[nodiscard]] int count(door at) const;
  [[nodiscard]] std::vector<server_request> seen(door at) const;
  [[nodiscard]] server_request last(door at) const;
  [[nodiscard]] std::string url() const { return "https://localhost:" + std::to_string(port()); }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] intune::cloud cloud() const;
  /// With one secret; trusts this server alone.
  [[nodiscard]] intune::connection_settings settings() const;
  /// The two services at their addresses.
  [[nodiscard]] std::string directory() const;

private:
  server_response handle(const server_request& in);
  [[nodiscard]] answerer first(door at) const;

  mutable std::mutex mutex_;
  std::map<door, answerer> answers_;
  std::map<door, std::vector<server_request>> seen_;
  std::atomic<int> tokens_{0};
  std::unique_ptr<connect::http::server> server_; // goes first
};

inline constexpr const char* test_tenant = "11111111-2222-3333-4444-555555555555";
inline constexpr const char* test_client = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

[[nodiscard]] intune::credential secret_credential(const std::string& text,
                                                   std::optional<unix_ms> expires = {});
/// RSA-2048, made once per process; `which` is 0 or 1.
[[nodiscard]] intune::credential certificate_credential(std::size_t which = 0);
[[nodiscard]] const crypto::certificate& credential_certificate(std::size_t which = 0);

/// The value of a field of a form, decoded.
[[nodiscard]] std::string form_value(const std::string& form, const std::string& name);

[[nodiscard]] std::unique_ptr<intune::connection> open(intune::connection_settings settings,
                                                       const clock& time = system_clock());

} // namespace pfx::test
