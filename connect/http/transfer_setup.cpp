// What libcurl is told, once per transfer and once per call.
#include "connect/http/header_text.hpp"
#include "connect/http/transfer_state.hpp"

namespace pfx::connect::http {

void transfer::state::prepare() {
  if (!multi || !easy) {
    usable = false;
    return;
  }
  const client_options& o = context.options;
  set(CURLOPT_ERRORBUFFER, words.data());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L); // a hanging name look-up does not hold up a cancel
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_WRITEFUNCTION, &state::on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_HEADERFUNCTION, &state::on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_PREREQFUNCTION, &state::on_ready);
  set(CURLOPT_PREREQDATA, this);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &state::on_progress);
  set(CURLOPT_XFERINFODATA, this);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(o.connect_timeout_ms));
  set(CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(o.low_speed_bytes_per_s));
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(o.low_speed_window_s));
  if (!o.user_agent.empty())
    set(CURLOPT_USERAGENT, o.user_agent.c_str());
  ::curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, 1L);
  prepare_proxy();
  if (!o.unix_socket.empty()) {
    set(CURLOPT_PROTOCOLS_STR, "http");
    set(CURLOPT_UNIX_SOCKET_PATH, o.unix_socket.c_str());
    return;
  }
  prepare_tls();
}

/// Both options are always set: an empty one keeps libcurl from asking the environment.
void transfer::state::prepare_proxy() {
  set(CURLOPT_NOPROXY, "");
  if (!context.options.proxy) {
    set(CURLOPT_PROXY, "");
    return;
  }
  const proxy_options& proxy = *context.options.proxy;
  set(CURLOPT_PROXY, proxy.url.c_str()); // its scheme says how to speak to it
  set(CURLOPT_HTTPPROXYTUNNEL, 1L);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); // they are not the server's
  if (!proxy.user.empty()) {
    std::string password(proxy.password.text()); // libcurl wants an end
    set(CURLOPT_PROXYAUTH, static_cast<long>(CURLAUTH_BASIC));
    set(CURLOPT_PROXYUSERNAME, proxy.user.c_str());
    set(CURLOPT_PROXYPASSWORD, password.c_str());
    wipe(password);
  }
  if (!over_secure_proxy())
    return;
  set(CURLOPT_PROXY_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
  set(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
  if (!proxy.trusted_roots_pem.empty()) {
    set(CURLOPT_PROXY_CAINFO, static_cast<char*>(nullptr));
    set(CURLOPT_PROXY_CAPATH, static_cast<char*>(nullptr));
    curl_blob roots{const_cast<char*>(proxy.trusted_roots_pem.data()),
                    proxy.trusted_roots_pem.size(), CURL_BLOB_NOCOPY};
    set(CURLOPT_PROXY_CAINFO_BLOB, &roots);
  }
}

void transfer::state::prepare_tls() {
  const client_options& o = context.options;
  set(CURLOPT_PROTOCOLS_STR, "https");
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSL_SESSIONID_CACHE, 0L); // each connection proves both sides anew
  if (!o.trusted_roots_pem.empty()) {
    // Ours replace the store; without this libcurl would load the system's roots beside them.
    set(CURLOPT_CAINFO, static_cast<char*>(nullptr));
    set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
    if (over_secure_proxy()) {
      // The callback below cannot tell the proxy's context from the server's, so that libcurl has
      // to install the server's roots; the material then holds none.
      curl_blob roots{const_cast<char*>(o.trusted_roots_pem.data()), o.trusted_roots_pem.size(),
                      CURL_BLOB_NOCOPY};
      set(CURLOPT_CAINFO_BLOB, &roots);
    }
  }
  set(CURLOPT_SSL_CTX_FUNCTION, &state::on_tls_context);
  set(CURLOPT_SSL_CTX_DATA, this);
}

result<void> transfer::state::begin(const transfer_order& order) {
  answer = {};
  header_bytes = 0;
  headers_done = false;
  stopped = stop_reason::none;
  alert = 0;
  sent = false;
  words[0] = '\0';
  headers.reset();
  auto add = [&](const std::string& line) {
    curl_slist* longer = ::curl_slist_append(headers.get(), line.c_str());
    if (longer != nullptr) {
      (void)headers.release(); // append returns the same list, or its first entry
      headers.reset(longer);
    }
  };
  add("Expect:");
  add("Accept-Encoding: gzip");
  bool typed = false;
  for (const auto& [name, value] : order.options->headers) {
    if (name.empty() || !is_header_text(name + value)
        || name.find_first_of(": \t") != std::string::npos)
      return failure(errc::bad_input, "headers", "holds a line that is no header");
    typed = typed || lower(name) == "content-type";
    add(value.empty() ? name + ";" : name + ": " + value);
  }
  if (order.post && !typed)
    add("Content-Type: application/json; charset=utf-8");
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_URL, order.url.c_str());
  std::int64_t limit
    = order.options->timeout_ms > 0 ? order.options->timeout_ms : context.options.call_timeout_ms;
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(limit));
  set(CURLOPT_FRESH_CONNECT, order.options->fresh_connection ? 1L : 0L);
  set(CURLOPT_FORBID_REUSE, order.options->fresh_connection ? 1L : 0L);
  if (order.post) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(order.body.size()));
    set(CURLOPT_POSTFIELDS, order.body.empty() ? "" : order.body.data());
  } else {
    set(CURLOPT_HTTPGET, 1L);
  }
  if (!usable)
    return failure(errc::internal, "", "libcurl refused an option");
  return {};
}

} // namespace pfx::connect::http
