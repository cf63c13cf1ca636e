// delivered/<n>/: result.pfx, request.json, expected.json and, for each recipient i,
// password-i.cms, device-i.pem, device-i.key; for a create also leaf.pem, chain.pem and root.pem.
#include "sandbox/deliveries.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "connect/service/codec.hpp"

namespace pfx::sandbox {

using json = nlohmann::ordered_json;

namespace {

json name_json(const full_name& name) {
  auto out = json::array();
  for (const auto& rdn : name) {
    auto one = json::array();
    for (const auto& part : rdn) {
      one.push_back({{"oid", part.oid}, {"value", part.value}});
    }
    out.push_back(std::move(one));
  }
  return out;
}

std::string pem_of(byte_view der) {
  const auto parsed = crypto::certificate::from_der(der);
  return parsed ? parsed->pem() : std::string();
}

std::string expected_import_json(const order& ordered) {
  const auto& file = *ordered.brought.file;
  const json out = {
    {"kind", ordered.kind},
    {"file", file.name},
    {"maker", file.maker},
    {"sha1", file.sha1},
    {"sha256", file.sha256},
    {"publicKey", file.public_key},
    {"keyAlgorithm", name_of(file.key)},
    {"friendlyName", file.friendly_name},
    {"intendedPurpose", ordered.request.import.intended_purpose},
    {"pfxProfile", name_of(ordered.request.profile)},
    {"recipients", ordered.request.recipients.size()},
  };
  return out.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

} // namespace

result<void> write_file(const std::string& path, byte_view octets) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) {
    return failure(errc::io, "directory", path + ": " + std::strerror(errno));
  }
  bool good = true;
  while (good && !octets.empty()) {
    const auto written = ::write(file, octets.data(), octets.size());
    good = written > 0;
    octets = octets.subspan(good ? static_cast<std::size_t>(written) : 0);
  }
  const auto reason = errno;
  ::close(file);
  return good ? result<void>()
              : result<void>(failure(errc::io, "directory", path + ": " + std::strerror(reason)));
}

std::string expected_json(const order& ordered) {
  if (ordered.brought.file != nullptr) {
    return expected_import_json(ordered);
  }
  const auto& wanted = ordered.request.create;
  json names = json::array();
  for (const auto& one : ordered.names) {
    json name = {{"type", name_of(one.type)}};
    if (one.type == name_type::directory_name) {
      name["name"] = name_json(one.directory);
    } else {
      name["value"] = one.type == name_type::ip ? to_hex(as_bytes(one.value)) : one.value;
    }
    names.push_back(std::move(name));
  }
  json usages = json::array();
  for (unsigned bit = 0; bit < 9; ++bit) {
    if ((wanted.usages >> bit & 1u) != 0) {
      usages.push_back(name_of(static_cast<key_usage>(1u << bit)));
    }
  }
  json out = {
    {"kind", ordered.kind},
    {"subject", name_json(ordered.subject)},
    {"subjectAlternativeNames", std::move(names)},
    {"keyAlgorithm", name_of(wanted.key)},
    {"keyUsages", std::move(usages)},
    {"extendedKeyUsages", wanted.extended_usages},
    {"securityIdentifier", wanted.security_identifier},
    {"pfxProfile", name_of(ordered.request.profile)},
    {"validity", {{"value", wanted.validity.value}, {"unit", name_of(wanted.validity.unit)}}},
    {"recipients", ordered.request.recipients.size()},
  };
  return out.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

result<void> delivery_store::keep(const order& ordered, const request_result& delivered) {
  const auto number = written_.fetch_add(1);
  if (number >= deliveries_max_) {
    return {};
  }
  try {
    const auto folder = directory_ + "/" + std::to_string(number);
    std::filesystem::create_directories(folder);
    std::vector<std::pair<std::string, bytes>> files;
    files.emplace_back("result.pfx", delivered.encrypted_pfx);
    if (ordered.brought.file == nullptr) {
      files.emplace_back("root.pem", to_bytes(ca_root_pem_));
    }
    files.emplace_back("request.json",
                       to_bytes(connect::service::encode_request(ordered.request, 1, 0) + "\n"));
    files.emplace_back("expected.json", to_bytes(expected_json(ordered)));
    if (delivered.certificate) {
      files.emplace_back("leaf.pem", to_bytes(pem_of(delivered.certificate->certificate)));
      std::string chain;
      for (const auto& one : delivered.certificate->chain) {
        chain += pem_of(one);
      }
      files.emplace_back("chain.pem", to_bytes(chain));
    }
    std::size_t at = 0;
    for (const auto& one : delivered.deliveries) {
      const auto suffix = std::to_string(at++);
      files.emplace_back("password-" + suffix + ".cms", one.encrypted_password);
      const auto* key = devices_.find(one.recipient_id);
      auto pem = key == nullptr ? result<secret_bytes>() : key->key->to_pem();
      if (key != nullptr && pem) {
        files.emplace_back("device-" + suffix + ".pem", to_bytes(key->certificate.pem()));
        files.emplace_back("device-" + suffix + ".key", to_bytes(pem->view()));
      }
    }
    for (const auto& [name, octets] : files) {
      if (auto written = write_file(folder + "/" + name, octets); !written) {
        return written;
      }
    }
    return {};
  } catch (const std::exception& caught) {
    return failure(errc::io, "directory", printable(caught.what(), 300));
  }
}

} // namespace pfx::sandbox
