// The form that asks for a token, and what the answers mean.
#include "connect/intune/token_request.hpp"

#include <algorithm>
#include <array>

#include "crypto/random.hpp"

namespace pfx::connect::intune {

namespace {

constexpr std::string_view assertion_type
  = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What an administrator can do about it, for the codes that people meet.
struct remedy {
  std::string_view aadsts;
  std::string_view field; ///< empty = the credential's
  std::string_view advice;
};
constexpr std::array<remedy, 14> remedies = {{
  {"AADSTS500011", "scope",
   "the resource is not known in this tenant; Intune's scope has two slashes "
   "(https://api.manage.microsoft.com//.default), and the cloud must be the tenant's"},
  {"AADSTS70011", "scope", "the scope is not valid; it must end with /.default"},
  {"AADSTS1002012", "scope", "the scope is not valid; it must end with /.default"},
  {"AADSTS90002", "tenant", "there is no such tenant in this cloud"},
  {"AADSTS900023", "tenant", "is neither a GUID nor a domain of a tenant"},
  {"AADSTS700016", "clientId", "there is no such application in this tenant"},
  {"AADSTS7000112", "clientId", "the application is disabled"},
  {"AADSTS7000229", "clientId", "the application has no service principal in this tenant"},
  {"AADSTS65001", "clientId", "nobody has consented to the application's permissions"},
  {"AADSTS53003", "clientId", "a conditional access policy blocks the application"},
  {"AADSTS7000215", "", "is not the secret's value (its id is not its value)"},
  {"AADSTS7000222", "", "has expired"},
  {"AADSTS700027", "", "is not registered with the application, or its signature is wrong"},
  {"AADSTS700024", "", "was refused for its time: is this machine's clock right?"},
}};

const remedy* remedy_for(const std::string& aadsts) {
  const auto* found = std::find_if(remedies.begin(), remedies.end(),
                                   [&](const remedy& one) { return one.aadsts == aadsts; });
  return found == remedies.end() ? nullptr : found;
}

struct parameters {
  std::string form; ///< holds the proof; the caller wipes it
  std::string assertion;
};

result<parameters> compose(const token_question& question) {
  const token_settings& settings = *question.settings;
  const credential& with = settings.credentials[question.index];
  parameters out;
  std::string_view proof;
  if (const auto* certificate = std::get_if<client_certificate>(&with.proof)) {
    auto made
      = make_assertion(*certificate, {settings.token_url, settings.client_id, question.now});
    if (!made)
      return failure(made.error().code, field_of(with, question.index), made.error().message);
    out.assertion = std::move(*made);
    proof = out.assertion;
  } else {
    proof = std::get<secret_bytes>(with.proof).text();
  }
  // Room for all of it at once: growing would leave copies of the proof behind.
  out.form.reserve(512 + 3 * (proof.size() + settings.client_id.size() + question.scope->size()));
  out.form = "grant_type=client_credentials&client_id=";
  append_encoded(out.form, settings.client_id);
  out.form += "&scope=";
  append_encoded(out.form, *question.scope);
  if (with.is_certificate()) {
    out.form += "&client_assertion_type=";
    append_encoded(out.form, assertion_type);
    out.form += "&client_assertion=";
  } else {
    out.form += "&client_secret=";
  }
  append_encoded(out.form, proof);
  return out;
}

/// A server that quotes what it was sent is not quoted.
std::string quotable(const std::string& said, const token_question& question) {
  const credential& with = question.settings->credentials[question.index];
  if (said.empty() || said.find("eyJ") != std::string::npos) // the head of every assertion
    return {};
  if (const auto* secret = std::get_if<secret_bytes>(&with.proof)) {
    std::string encoded;
    append_encoded(encoded, secret->text());
    const bool quoted
      = said.find(secret->text()) != std::string::npos || said.find(encoded) != std::string::npos;
    wipe(encoded);
    if (quoted)
      return {};
  }
  return ": " + printable(said, 200);
}

errc errc_of(int status, bool credential_refused) {
  if (credential_refused || status == 401 || status == 403)
    return errc::unauthorized;
  return status == 408 || status == 429 || status >= 500 ? errc::unavailable : errc::bad_input;
}

/// An answer that is no grant: whose fault it is, and in which words.
token_outcome refused(const http::response& got, const token_question& question) {
  const credential& with = question.settings->credentials[question.index];
  const auto said = decode_token_refusal(got.body);
  const remedy* known = remedy_for(said.aadsts);
  const bool of_credential
    = known != nullptr ? known->field.empty() : said.error == "invalid_client";
  token_outcome out{failure(errc::internal, "", ""), {}, false};
  // 408 and 429 come from whoever stands before the server, with whatever body.
  out.credential_refused
    = of_credential && (got.status == 400 || got.status == 401 || got.status == 403);
  std::string& field = out.fault.what.field;
  field = "token";
  if (out.credential_refused)
    field = field_of(with, question.index);
  else if (known != nullptr)
    field = known->field;
  else if (said.error == "invalid_scope" || said.error == "invalid_resource")
    field = "scope";
  else if (said.error == "unauthorized_client")
    field = "clientId";
  out.fault.what.code = errc_of(got.status, out.credential_refused);
  if (said.error == "unauthorized_client")
    out.fault.what.code = errc::unauthorized;
  std::string& words = out.fault.what.message;
  if (got.status >= 300 && got.status < 400)
    words = "redirects are refused, ";
  if (!said.aadsts.empty())
    words += said.aadsts + ", ";
  if (known != nullptr)
    words += std::string(known->advice) + ", ";
  words += "HTTP " + std::to_string(got.status);
  if (!said.error.empty())
    words += " " + said.error;
  if (auto date = got.headers.find("date");
      said.aadsts == "AADSTS700024" && date != got.headers.end())
    words += ", the server's clock says " + printable(date->second, 40);
  words += quotable(said.description, question);
  out.fault.status = got.status;
  out.fault.service_code = said.aadsts.empty() ? said.error : said.aadsts;
  out.fault.retry_after_ms = got.retry_after_ms.value_or(0);
  return out;
}

} // namespace

void append_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
      || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += digits[octet >> 4];
      out += digits[octet & 15];
    }
  }
}

token_outcome ask_for_token(web& over, const token_question& question) {
  token_outcome out{failure(errc::internal, "", ""), {}, false};
  auto sent = compose(question);
  if (!sent) {
    out.fault.what = sent.error();
    out.credential_refused = true; // by ourselves
    return out;
  }
  const std::string id = crypto::random_uuid();
  web_request request{question.settings->token_url, true, sent->form, {}};
  request.options.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                             {"Accept", "application/json"},
                             {"client-request-id", id}};
  request.options.fresh_connection = true; // an assertion is accepted once
  auto got = over.send(request);
  wipe(sent->form);
  wipe(sent->assertion);
  if (!got) {
    out.fault.what = got.error();
    // Nothing is done by handing out a token: it may be asked for again.
    if (out.fault.what.code == errc::unknown_outcome)
      out.fault.what.code = errc::unavailable;
  } else if (got->status == 200) {
    out.grant = decode_token(got->body);
    if (!out.grant)
      out.fault.what
        = {errc::bad_input, "token", "the answer is no grant: " + to_string(out.grant.error())};
    out.fault.status = got->status;
  } else {
    out = refused(*got, question);
  }
  out.fault.request_id = id;
  return out;
}

} // namespace pfx::connect::intune
