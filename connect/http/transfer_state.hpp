// What lies behind a transfer: libcurl's handles, the answer as it grows, and who does what with
// them. Internal to transfer.cpp and transfer_setup.cpp.
#pragma once

#include "connect/http/transfer.hpp"

#include <array>
#include <cstring>
#include <optional>

#include <curl/curl.h>

namespace pfx::connect::http {

struct easy_end {
  void operator()(CURL* easy) const noexcept { ::curl_easy_cleanup(easy); }
};
struct multi_end {
  void operator()(CURLM* multi) const noexcept { ::curl_multi_cleanup(multi); }
};
/// Headers may hold a token: they are wiped before they go.
struct list_end {
  void operator()(curl_slist* list) const noexcept {
    for (curl_slist* at = list; at != nullptr; at = at->next)
      wipe(at->data, std::strlen(at->data));
    ::curl_slist_free_all(list);
  }
};
using header_list = std::unique_ptr<curl_slist, list_end>;

/// Why our own callback ended a transfer.
enum class stop_reason : std::uint8_t { none, body_too_large, headers_too_large, encoding };

struct transfer::state {
  explicit state(const transfer_context& shared) : context(shared), material(shared.material) {}

  // -- set up once ------
  void prepare();
  void prepare_tls();
  void prepare_proxy();
  template <class T>
  void set(CURLoption option, T value) {
    if (::curl_easy_setopt(easy.get(), option, value) != CURLE_OK)
      usable = false;
  }

  // -- one call ------
  result<void> begin(const transfer_order& order);
  result<CURLcode> drive();
  result<response> conclude(CURLcode code);
  result<void> open_body();
  [[nodiscard]] error classify(CURLcode code) const;
  [[nodiscard]] std::optional<error> proxy_fault(CURLcode code) const;
  [[nodiscard]] bool over_secure_proxy() const noexcept {
    return context.options.proxy && context.options.proxy->url.starts_with("https://");
  }

  // -- called by libcurl ------
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
  static int on_ready(void* self, char*, char*, int, int);
  static CURLcode on_tls_context(CURL*, void* ssl_context, void* self);
  bool take_header(std::string_view line);

  const transfer_context& context;
  const std::shared_ptr<const tls::client_material> material; ///< as it was when this was made
  bool usable = true;
  int alert = 0;     ///< last TLS alert of the peer, or negative: ours
  bool sent = false; ///< at least begun
  // The multi handle owns the connection and goes last.
  std::unique_ptr<CURLM, multi_end> multi{::curl_multi_init()};
  std::unique_ptr<CURL, easy_end> easy{::curl_easy_init()};
  header_list headers;
  std::array<char, CURL_ERROR_SIZE> words{};
  response answer;
  std::size_t header_bytes = 0;
  bool headers_done = false;
  stop_reason stopped = stop_reason::none;
};

} // namespace pfx::connect::http
