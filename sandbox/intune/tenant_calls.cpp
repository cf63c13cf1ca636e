// The tenant's services: bodies in, bodies out. The order in each is: read, lock, decide and append
// to the journal, unlock; the caller syncs and answers.
#include <algorithm>
#include <array>

#include "connect/http/json.hpp"
#include "connect/intune/codec.hpp"
#include "sandbox/intune/tenant.hpp"

namespace pfx::sandbox {

using json = nlohmann::ordered_json;

namespace {

constexpr int requests_max = 500;
constexpr std::size_t issuer_characters_max = 256;
constexpr std::size_t results_max = 500;
constexpr std::array<std::string_view, 2> revocation_versions = {"5019-05-05", "2019-05-05"};
constexpr std::string_view scep_version = "2018-02-20";

server_response answered(const json& body) {
  server_response out;
  out.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return out;
}

json optional_text(const std::optional<std::string>& value) {
  return value ? json(*value) : json(nullptr);
}

struct download_order {
  int most = 0;
  std::optional<std::string> filter;
};

/// `wrong` says why it is none.
std::optional<download_order> read_download(const std::string& body, std::string& wrong) {
  const auto parsed = connect::http::parse_json_strict(body);
  const auto parameters = parsed && parsed->is_object()
    ? parsed->value("downloadParameters", nlohmann::json())
    : nlohmann::json();
  if (!parameters.is_object()) {
    wrong = parsed ? "no downloadParameters" : to_string(parsed.error());
    return std::nullopt;
  }
  const auto most = parameters.value("maxRequests", nlohmann::json());
  if (!most.is_number_integer() || most < 1 || most > requests_max) {
    wrong = "maxRequests is not between 1 and 500";
    return std::nullopt;
  }
  download_order out{most.get<int>(), {}};
  const auto issuer = parameters.value("issuerName", nlohmann::json());
  if (!issuer.is_null() && !issuer.is_string()) {
    wrong = "issuerName is no text";
    return std::nullopt;
  }
  if (issuer.is_string() && !issuer.get_ref<const std::string&>().empty()) {
    out.filter = issuer.get<std::string>();
    if (out.filter->size() > issuer_characters_max) {
      wrong = "issuerName is too long";
      return std::nullopt;
    }
  }
  return out;
}

/// The name of a code, its number, or its number as a text: clients send all three.
std::optional<service_code> code_of(const nlohmann::json& value) {
  if (value.is_null()) {
    return service_code::none;
  }
  const auto text = value.is_string() ? value.get<std::string>()
    : value.is_number_unsigned()      ? value.dump()
                                      : std::string();
  for (const int number :
       {0, 4000, 4001, 4002, 4003, 4004, 4005, 4006, 4007, 4100, 4101, 4102, 4103}) {
    const auto code = static_cast<service_code>(number);
    if (text == std::to_string(number) || text == connect::intune::name_of(code)) {
      return code;
    }
  }
  return std::nullopt;
}

std::optional<order_report> read_report(const nlohmann::json& one, std::string& wrong) {
  const auto field = [&](const char* name) {
    return one.is_object() ? one.value(name, nlohmann::json()) : nlohmann::json();
  };
  const auto context = field("requestContext");
  const auto succeeded = field("succeeded");
  const auto code = code_of(field("errorCode"));
  const auto message = field("errorMessage");
  if (!context.is_string() || !succeeded.is_boolean() || !code
      || !(message.is_null() || message.is_string())) {
    wrong = "a result with a field that is missing or of another kind";
    return std::nullopt;
  }
  order_report out{context.get<std::string>(), succeeded.get<bool>(), *code,
                   message.is_string() ? message.get<std::string>() : std::string()};
  const bool good = out.code == service_code::none;
  if (good != out.succeeded || (good && !out.message.empty())) {
    wrong = "a result that contradicts itself";
    return std::nullopt;
  }
  return out;
}

std::optional<std::vector<order_report>> read_upload(const std::string& body, std::string& wrong) {
  const auto parsed = connect::http::parse_json_strict(body);
  const auto results
    = parsed && parsed->is_object() ? parsed->value("results", nlohmann::json()) : nlohmann::json();
  if (!results.is_array() || results.empty() || results.size() > results_max) {
    wrong = "no results, or too many";
    return std::nullopt;
  }
  std::vector<order_report> out;
  for (const auto& one : results) {
    auto read = read_report(one, wrong);
    if (!read) {
      return std::nullopt;
    }
    out.push_back(std::move(*read));
  }
  return out;
}

/// What a service says that has not recorded anything; `odd` in words that mean nothing.
server_response not_recorded(dice choice, bool odd) {
  if (!odd) {
    return answered({{"value", false}});
  }
  constexpr std::array<const char*, 5> words
    = {R"({"value":"test"})", R"({"value":null})", R"({"done":true})", R"({"value":[true]})",
       R"({"value":1})"};
  server_response out;
  out.body = words.at(choice.below(words.size()));
  return out;
}

line line_of(const order_report& one, std::string_view status) {
  return line("order_reported")
    .text("context", one.context)
    .text("status", status)
    .number("code", static_cast<std::int64_t>(one.code))
    .text("message", printable(one.message, 300));
}

} // namespace

void intune_tenant::recorded(const std::string& serial) {
  const std::scoped_lock lock(mutex_);
  for (auto& one : plan_.recorded(serial)) {
    log_.append(line("order_made")
                  .text("context", one.order.context)
                  .text("kind", one.kind)
                  .text("serial_number", one.order.serial_number)
                  .text("serial", one.serial)
                  .number("expected", static_cast<std::int64_t>(one.expected)));
    (void)queue_.add(std::move(one.order));
  }
}

server_response intune_tenant::service(const call& of) {
  const bool scep_call = of.name.starts_with("ScepActions/");
  const auto why = sign_in_.wrong_with(of.request, token_resource::intune, system_clock().wall());
  if (!why.empty()) {
    return refuse(of, 401, why);
  }
  const auto version = header(of.request, "api-version");
  const bool known = scep_call
    ? version == scep_version
    : std::ranges::find(revocation_versions, version) != revocation_versions.end();
  if (!known) {
    return refuse(of, 400, "the header api-version is missing or none that is known");
  }
  if (!header(of.request, "content-type").starts_with("application/json")) {
    return refuse(of, 400, "the body is not called JSON");
  }
  return scep_call ? scep(of) : of.name == download_call ? download(of) : upload(of);
}

server_response intune_tenant::download(const call& of) {
  std::string wrong;
  const auto order = read_download(of.request.body, wrong);
  if (!order) {
    return refuse(of, 400, wrong);
  }
  json body = {{"@odata.context",
                base()
                  + "/RACerts/StatelessPkiConnectorService/$metadata#Collection"
                    "(microsoft.management.services.api.caRevocationRequest)"},
               {"value", json::array()}};
  const std::scoped_lock lock(mutex_);
  if (of.fault.is(fault_kind::again)) {
    options_.faults->note(of.fault);
    queue_.forget_cool_down();
  }
  const auto given
    = queue_.download(static_cast<std::size_t>(order->most), order->filter, system_clock().boot());
  for (const auto& one : given) {
    body["value"].push_back({{"requestContext", one.order->context},
                             {"serialNumber", one.order->serial_number},
                             {"issuerName", optional_text(one.order->issuer_name)},
                             {"caConfiguration", optional_text(one.order->ca_configuration)}});
    log_.append(line("order_handed_out")
                  .text("context", one.order->context)
                  .number("hand_out", static_cast<std::int64_t>(one.hand_out))
                  .flag("redelivery", one.redelivery));
  }
  log_.append(line("orders_downloaded")
                .number("most", order->most)
                .number("given", static_cast<std::int64_t>(given.size()))
                .text("filter", printable(order->filter.value_or(""), 300)));
  return answered(body);
}

server_response intune_tenant::upload(const call& of) {
  std::string wrong;
  const auto reports = read_upload(of.request.body, wrong);
  if (!reports) {
    log_.append(line("orders_odd").text("why", wrong));
    return refuse(of, 400, wrong);
  }
  const auto home = base();
  const bool odd = of.fault.is(fault_kind::odd_answer);
  if (odd || of.fault.is(fault_kind::not_recorded)) {
    options_.faults->note(of.fault);
    return not_recorded(of.fault.choice, odd);
  }
  const std::scoped_lock lock(mutex_);
  const auto ends = queue_.upload(*reports, system_clock().boot());
  if (!ends) {
    log_.append(
      line("orders_unknown").number("results", static_cast<std::int64_t>(reports->size())));
    return not_recorded(of.fault.choice, false);
  }
  for (std::size_t at = 0; at < reports->size(); ++at) {
    log_.append(line_of(reports->at(at), name_of(ends->at(at))));
  }
  return answered({{"@odata.context", home + "/RACerts/$metadata#Edm.Boolean"}, {"value", true}});
}

server_response intune_tenant::scep(const call& of) {
  const auto said = scep_.handle(of.name, of.request.body, system_clock().wall());
  if (!said.wrong.empty()) {
    return refuse(of, 400, said.wrong);
  }
  log_.append(line("scep")
                .text("call", of.name)
                .text("transaction", printable(said.transaction, 300))
                .text("code", said.code)
                .text("detail", printable(said.detail, 300)));
  return answered({{"@odata.context", base() + "/RACerts/$metadata#scepActionResult"},
                   {"code", said.code},
                   {"errorDescription", said.description}});
}

} // namespace pfx::sandbox
