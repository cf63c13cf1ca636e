// One http::client per origin, made when it is first called.
#include "connect/intune/web.hpp"

#include <algorithm>
#include <mutex>
#include <vector>

#include "connect/http/address.hpp"

namespace pfx::connect::intune {

namespace {

/// Owner of the clients. A client that is dropped while it works lives until its call ends.
class https_web final : public web {
public:
  explicit https_web(web_options options) : options_(std::move(options)) {}

  result<http::response> send(const web_request& request) override {
    auto where = http::parse_address(request.url, "url");
    if (!where)
      return failure(where.error());
    auto over = client_of(where->origin());
    if (!over)
      return failure(over.error());
    const std::string path = (where->path.empty() ? "/" : where->path) + where->query;
    return request.post ? (*over)->post(path, request.body, request.options)
                        : (*over)->get(path, request.options);
  }

  void cancel() noexcept override {
    std::lock_guard lock(mutex_);
    cancelled_ = true;
    for (auto& one : hosts_)
      one.client->cancel();
    for (auto& one : leaving_)
      if (auto still = one.lock())
        still->cancel();
  }

  /// Says whether these options make a client at all.
  [[nodiscard]] result<void> tried() const {
    auto made = http::client::make(options_for("https://localhost"));
    if (!made)
      return failure(made.error());
    return {};
  }

private:
  struct host {
    std::string origin;
    std::shared_ptr<http::client> client;
  };

  [[nodiscard]] http::client_options options_for(const std::string& origin) const {
    http::client_options out;
    out.base_url = origin;
    out.trusted_roots_pem = options_.trusted_roots_pem;
    if (options_.proxy) {
      const auto& proxy = *options_.proxy;
      out.proxy = http::proxy_options{proxy.url, proxy.user, proxy.password.duplicate(),
                                      proxy.trusted_roots_pem};
    }
    out.connect_timeout_ms = options_.connect_timeout_ms;
    out.call_timeout_ms = options_.call_timeout_ms;
    out.body_bytes_max = web_body_bytes_max;
    out.user_agent = options_.user_agent;
    return out;
  }

  result<std::shared_ptr<http::client>> client_of(const std::string& origin) {
    std::lock_guard lock(mutex_);
    if (cancelled_)
      return failure(errc::stopping, "", "cancelled");
    auto found = std::find_if(hosts_.begin(), hosts_.end(),
                              [&](const host& one) { return one.origin == origin; });
    if (found == hosts_.end()) {
      auto made = http::client::make(options_for(origin));
      if (!made)
        return failure(made.error());
      if (hosts_.size() >= web_hosts_max) {
        std::erase_if(leaving_, [](const auto& one) { return one.expired(); });
        leaving_.push_back(hosts_.front().client);
        hosts_.erase(hosts_.begin());
      }
      hosts_.push_back({origin, std::shared_ptr<http::client>(std::move(*made))});
    } else {
      std::rotate(found, found + 1, hosts_.end()); // the last one was used last
    }
    return hosts_.back().client;
  }

  const web_options options_;
  std::mutex mutex_;
  std::vector<host> hosts_;
  std::vector<std::weak_ptr<http::client>> leaving_; ///< perhaps still at work
  bool cancelled_ = false;
};

} // namespace

result<std::unique_ptr<web>> make_web(web_options options) {
  auto made = std::make_unique<https_web>(std::move(options));
  if (auto good = made->tried(); !good)
    return failure(good.error());
  return std::unique_ptr<web>(std::move(made));
}

} // namespace pfx::connect::intune
