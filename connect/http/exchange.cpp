// HTTP/1.1 on the server's side, parsed by Boost.Beast and nothing else.
#include "connect/http/exchange.hpp"

#include "connect/http/gzip.hpp"
#include "connect/http/header_text.hpp"

#include <algorithm>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>

namespace pfx::connect::http {

namespace {

namespace beast = boost::beast;
using parser_type = beast::http::request_parser<beast::http::string_body>;

constexpr std::size_t read_bytes = 64u << 10;

std::string_view view_of(beast::string_view text) { return {text.data(), text.size()}; }

server_response refusal_for(beast::error_code fault) {
  namespace http = beast::http;
  if (fault == http::error::body_limit)
    return refusal_of(413, "payloadTooLarge", "the body is too large");
  if (fault == http::error::header_limit || fault == http::error::buffer_overflow)
    return refusal_of(431, "headersTooLarge", "the headers are too large");
  return refusal_of(400, "badRequest", "not an HTTP request");
}

} // namespace

server_response refusal_of(int status, std::string_view code, std::string_view message) {
  return {status,
          {},
          "{\"error\":{\"code\":\"" + std::string(code) + "\",\"message\":\"" + std::string(message)
            + "\"}}"};
}

struct exchange::state {
  state(stream& s, const server_options& o)
      : over(s), options(o), buffer(o.header_bytes_max + read_bytes) {}

  incoming refuse(server_response answer) {
    incoming out;
    out.is = incoming::what::refuse;
    out.refusal = std::move(answer);
    return out;
  }
  /// Feeds the parser from the stream until it is done. False: `out` says how it ended.
  bool parse(parser_type& parser, incoming& out);
  incoming convert(parser_type& parser);

  stream& over;
  const server_options& options;
  beast::flat_buffer buffer;
};

exchange::exchange(stream& over, const server_options& options)
    : state_(std::make_unique<state>(over, options)) {}
exchange::~exchange() = default;

bool exchange::has_input() const noexcept { return state_->buffer.size() > 0; }

bool exchange::state::parse(parser_type& parser, incoming& out) {
  const std::int64_t deadline = steady_ms() + options.request_timeout_ms;
  bool promised = false;
  for (;;) {
    beast::error_code fault;
    if (buffer.size() > 0) {
      buffer.consume(parser.put(buffer.data(), fault));
      if (fault && fault != beast::http::error::need_more) {
        out = refuse(refusal_for(fault));
        return false;
      }
      if (parser.is_done())
        return true;
    }
    if (parser.is_header_done() && !promised
        && lower(view_of(parser.get()[beast::http::field::expect])) == "100-continue") {
      promised = true;
      if (over.write_all("HTTP/1.1 100 Continue\r\n\r\n", deadline) != io_status::done)
        return false;
    }
    std::size_t room = std::min(read_bytes, buffer.max_size() - buffer.size());
    if (room == 0) {
      out = refuse(refusal_for(beast::http::error::header_limit));
      return false;
    }
    auto space = buffer.prepare(room);
    std::size_t got = 0;
    io_status status
      = over.read_some(static_cast<char*>(space.data()), space.size(), got, deadline);
    if (status == io_status::timed_out)
      out = refuse(refusal_of(408, "requestTimeout", "the request did not arrive in time"));
    if (status != io_status::done)
      return false;
    buffer.commit(got);
  }
}

incoming exchange::state::convert(parser_type& parser) {
  incoming out;
  out.keep_alive = parser.keep_alive();
  auto message = parser.release();
  server_request& value = out.value;
  value.method = std::string(message.method_string());
  value.target = std::string(message.target());
  for (const auto& field : message) {
    auto [slot, fresh]
      = value.headers.try_emplace(lower(view_of(field.name_string())), view_of(field.value()));
    if (!fresh)
      slot->second += ", " + std::string(field.value());
  }
  value.body = std::move(message.body());
  auto encoding = value.headers.find("content-encoding");
  std::string word = encoding == value.headers.end() ? "identity" : lower(encoding->second);
  if (word == "gzip" || word == "x-gzip") {
    auto plain = gunzip(value.body, options.body_bytes_max);
    if (!plain)
      return refuse(plain.error().code == errc::too_large
                      ? refusal_for(beast::http::error::body_limit)
                      : refusal_of(400, "badRequest", "the body is not whole gzip data"));
    value.body = std::move(*plain);
  } else if (word != "identity") {
    return refuse(refusal_of(415, "unsupportedEncoding", "bodies may be plain or gzip"));
  }
  out.is = incoming::what::request;
  return out;
}

incoming exchange::read() {
  parser_type parser;
  parser.eager(true);
  parser.header_limit(static_cast<std::uint32_t>(state_->options.header_bytes_max));
  parser.body_limit(state_->options.body_bytes_max);
  incoming out;
  if (!state_->parse(parser, out))
    return out;
  return state_->convert(parser);
}

io_status exchange::write(server_response answer, bool keep_alive, bool head_only, int stop_fd) {
  bool bodiless = answer.status == 204 || answer.status == 304 || answer.status < 200;
  auto reason = beast::http::obsolete_reason(
    beast::http::int_to_status(static_cast<unsigned>(answer.status)));
  std::string out = "HTTP/1.1 " + std::to_string(answer.status) + " "
    + std::string(reason.data(), reason.size()) + "\r\n";
  bool typed = false;
  for (const auto& [name, value] : answer.headers) {
    std::string key = lower(name);
    if (!is_header_text(name) || !is_header_text(value) || key == "content-length"
        || key == "connection" || key == "transfer-encoding")
      continue; // the frame is ours
    typed = typed || key == "content-type";
    out += name + ": " + value + "\r\n";
  }
  if (!typed && !bodiless)
    out += "Content-Type: application/json; charset=utf-8\r\n";
  if (!bodiless)
    out += "Content-Length: " + std::to_string(answer.how.said_length.value_or(answer.body.size()))
      + "\r\n";
  out += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  if (!answer.how.plain())
    return deliver(state_->over, out, head_only || bodiless ? std::string() : answer.body,
                   answer.how, stop_fd, state_->options.request_timeout_ms);
  if (!head_only && !bodiless)
    out += answer.body;
  return state_->over.write_all(out, steady_ms() + state_->options.request_timeout_ms);
}

} // namespace pfx::connect::http
