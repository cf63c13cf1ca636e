// What a sandbox consists of, and in which order it is made: files, journals, CA, devices, service,
// tenant, server, feeder. Private to sandbox.cpp and sandbox_state.cpp. What the server calls is
// made before it and ends after it.
#pragma once

#include <mutex>
#include <optional>

#include "connect/ca/embedded_authority.hpp"
#include "connect/ca/publication.hpp"
#include "sandbox/authorities.hpp"
#include "sandbox/certificates.hpp"
#include "sandbox/deliveries.hpp"
#include "sandbox/feeder.hpp"
#include "sandbox/hostile_authority.hpp"
#include "sandbox/intune/application.hpp"
#include "sandbox/intune/tenant.hpp"
#include "sandbox/sandbox.hpp"
#include "sandbox/service.hpp"

namespace pfx::sandbox {

struct sandbox::state {
  options how;
  std::vector<std::string> codes;
  std::unique_ptr<journal> log;
  std::unique_ptr<journal> ca_log;
  std::optional<authorities> own;
  std::optional<fleet> devices;
  std::optional<order_book> book;
  std::unique_ptr<registrar> desk;
  std::unique_ptr<import_desk> imports;
  certificate_watch watch;
  std::unique_ptr<fault_injector> faults; ///< none if nothing is to go wrong
  std::unique_ptr<connect::ca::embedded_ca> ca;
  std::unique_ptr<connect::ca::publication_point> public_point; ///< ends before the CA
  std::unique_ptr<hostile_authority> erring_ca;
  std::unique_ptr<delivery_store> deliveries;
  std::unique_ptr<judge_line> judges;
  std::optional<application> app;
  std::unique_ptr<intune_tenant> tenant;
  std::unique_ptr<request_service> service;
  std::unique_ptr<connect::http::server> server;
  boot_ms started = 0;

  mutable std::mutex extra_mutex;
  std::vector<std::string> extra; ///< kinds of the orders behind how.requests
  std::unique_ptr<feeder> feeding;

  ~state() { stop(); }

  [[nodiscard]] std::string path(const char* name) const { return how.directory + "/" + name; }
  [[nodiscard]] order draft_of(std::uint64_t index) const;
  /// With the encrypted password of an import, as soon as there is a key.
  [[nodiscard]] order order_of(std::uint64_t index) const;
  void note_fault(const order& at, const error& what) const;
  [[nodiscard]] std::string endpoint(const char* prefix, const std::string& host = {}) const;
  [[nodiscard]] intune_address tenant_address() const;

  result<void> begin();
  void stop();

private:
  result<void> make_files();
  result<void> make_world();
  result<void> make_desks();
  result<void> note_issuance(const connect::ca::issuance_event& event);
  result<void> make_ca();
  result<void> make_tenant();
  void make_judges();
  void make_service();
  result<void> serve(const std::string& client_roots_pem);
  result<void> describe();
  result<void> start_feeding();
};

} // namespace pfx::sandbox
