// One HTTP call at a time over one reusable connection: the libcurl half of the client.
// Internal to connect/http. Refuses redirects, foreign encodings and answers over the limits.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "connect/http/client.hpp"
#include "connect/http/tls.hpp"

namespace pfx::connect::http {

/// What all transfers of one client share; outlives them. A transfer keeps the material that it
/// was made with.
struct transfer_context {
  client_options options; ///< without the private key's text
  std::shared_ptr<const tls::client_material> material;
  std::atomic<bool> cancelled{false};
};

struct transfer_order {
  bool post = false;
  std::string url;
  std::string_view body; ///< outlives the call
  const call_options* options = nullptr;
};

/// Owner of one easy handle and its connection. Used by one thread at a time, except `wake`.
class transfer {
public:
  explicit transfer(const transfer_context& context);
  ~transfer();
  transfer(const transfer&) = delete;
  transfer& operator=(const transfer&) = delete;

  /// False if libcurl could not be set up (no memory, or built without what is needed).
  [[nodiscard]] bool usable() const noexcept;
  [[nodiscard]] result<response> run(const transfer_order& order);
  /// Whether it was made with this material: an older one says that we are somebody else.
  [[nodiscard]] bool made_with(
    const std::shared_ptr<const tls::client_material>& material) const noexcept;
  /// From any thread: makes `run` look at `cancelled` at once.
  void wake() noexcept;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace pfx::connect::http
