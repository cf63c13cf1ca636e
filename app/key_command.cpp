// `key …`: the keys that open the passwords of imported PFX files. Private keys leave only into a
// new file, by a word that nobody types by accident.
#include <cerrno>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/console.hpp"
#include "engine/keys.hpp"

namespace pfx::app {
namespace {

struct key_options {
  std::string configuration = default_configuration;
  engine::key_order order;
  std::string algorithm = "rsa2048";
  std::string form = "pem";
  std::string from;
  std::string out;
  bool json = false;
  bool sure = false;
};
using shared_options = std::shared_ptr<key_options>;

/// Runs `act` with the configuration; it tells the exit code.
template <class Act>
exit_code with_settings(const key_options& options, Act act) {
  const auto settings = load_to_change(options.configuration);
  return settings ? act(*settings) : exit_code::configuration;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words)
    out.append(out.empty() ? "" : ",").append(word);
  return out;
}

std::string row(std::string_view name, std::string_view value) {
  std::string line(name);
  line.resize(std::max<std::size_t>(line.size() + 1, 18), ' ');
  return line.append(value);
}

void print_key(const engine::key_summary& key) {
  say(row("provider", printable(key.provider, 256)));
  say(row("name", printable(key.name, 256)));
  say(row("algorithm", "RSA, " + std::to_string(key.bits) + " bits"));
  say(row("paddings", joined(key.paddings)));
  say(row("exportable", key.exportable ? "yes" : "no"));
  say(row("made", to_rfc3339(key.created_at)));
  say(row("public key", "SHA-256 " + key.fingerprint));
}

void warn_of_paddings(const engine::key_summary& key) {
  for (const auto& padding : key.paddings)
    if (padding == "pkcs1")
      complain("warning: pkcs1 (PKCS#1 v1.5) is allowed for this key; it is obsolete, and the "
               "service's tools do not need it");
}

// -- one file of octets ------

/// Regular files, pipes and "-" for stdin; straight into memory that is wiped.
result<secret_bytes> read_secret(const std::string& path) {
  const bool standard = path == "-";
  const int number = standard ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const auto failed = [&](const char* doing) {
    return failure(errno == ENOENT ? errc::not_found : errc::io, printable(path, 512),
                   std::string(doing) + ": " + std::strerror(errno));
  };
  if (number < 0)
    return failed("cannot be opened");
  secret_bytes octets(engine::key_input_bytes_max + 1);
  std::size_t size = 0;
  ssize_t got = 1;
  while (size < octets.size() && got != 0) {
    got = ::read(number, octets.data() + size, octets.size() - size);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      break;
    size += static_cast<std::size_t>(got);
  }
  const auto fault = got < 0 ? result<void>(failed("cannot be read")) : result<void>();
  if (!standard)
    ::close(number);
  if (!fault)
    return failure(fault.error());
  octets.shrink(size);
  return octets;
}

/// A new file, or stdout for text.
result<void> write_public(const std::string& path, const bytes& octets) {
  const int number = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (number < 0)
    return failure(errno == EEXIST ? errc::conflict : errc::io, printable(path, 512),
                   std::string("cannot be made: ") + std::strerror(errno));
  const auto written = ::write(number, octets.data(), octets.size());
  const bool whole = written == static_cast<ssize_t>(octets.size());
  const bool closed = ::close(number) == 0;
  if (whole && closed)
    return {};
  ::unlink(path.c_str());
  return failure(errc::io, printable(path, 512), "cannot be written");
}

result<engine::key_form> form_of(const std::string& word) {
  if (word == "pem")
    return engine::key_form::pem;
  if (word == "pkcs8")
    return engine::key_form::pkcs8;
  if (word == "blob")
    return engine::key_form::blob;
  return failure(errc::bad_input, "form", "must be pem, pkcs8 or blob");
}

// -- the commands ------

exit_code create(const key_options& options) {
  return with_settings(options, [&](const engine::configuration& settings) {
    const auto made = engine::create_key(settings, options.order, options.algorithm);
    if (!made)
      return refuse(made.error());
    warn_of_paddings(*made);
    print_key(*made);
    return exit_code::done;
  });
}

exit_code import(const key_options& options) {
  return with_settings(options, [&](const engine::configuration& settings) {
    const auto octets = read_secret(options.from);
    if (!octets)
      return refuse(octets.error());
    const auto made = engine::import_key(settings, options.order, *octets);
    if (!made)
      return refuse(made.error());
    warn_of_paddings(*made);
    print_key(*made);
    if (options.from != "-")
      complain("note: " + printable(options.from, 512)
               + " still holds the private key in clear; remove it");
    return exit_code::done;
  });
}

exit_code list(const key_options& options) {
  return with_settings(options, [&](const engine::configuration& settings) {
    const auto all = engine::overview_of_keys(settings);
    if (!all)
      return refuse(all.error());
    auto code = exit_code::done; // or that of the first fault
    for (const auto& fault : all->faults) {
      const auto of_this = refuse(fault);
      code = code == exit_code::done ? of_this : code;
    }
    if (options.json) {
      say(engine::to_json(*all));
      return code;
    }
    for (const auto& key : all->keys)
      say(printable(key.provider, 256) + "  " + printable(key.name, 256) + "  RSA-"
          + std::to_string(key.bits) + "  " + joined(key.paddings)
          + (key.exportable ? "  exportable  " : "  ") + key.fingerprint.substr(0, 16));
    if (all->keys.empty() && all->faults.empty())
      complain("there is no key yet");
    return code;
  });
}

exit_code show(const key_options& options) {
  return with_settings(options, [&](const engine::configuration& settings) {
    const auto key = engine::show_key(settings, options.order.provider, options.order.name);
    if (!key)
      return refuse(key.error());
    if (options.json)
      say(engine::to_json(*key));
    else
      print_key(*key);
    return exit_code::done;
  });
}

exit_code export_public(const key_options& options) {
  return with_settings(options, [&](const engine::configuration& settings) {
    const auto form = form_of(options.form);
    if (!form)
      return refuse(form.error());
    if (*form == engine::key_form::blob && options.out.empty())
      return refuse({errc::bad_input, "out", "a blob is no text: name a file with --out"});
    const auto octets
      = engine::public_key_of(settings, options.order.provider, options.order.name, *form);
    if (!octets)
      return refuse(octets.error());
    if (options.out.empty()) {
      say(std::string_view(reinterpret_cast<const char*>(octets->data()), octets->size() - 1));
      return exit_code::done;
    }
    const auto written = write_public(options.out, *octets);
    return written ? exit_code::done : refuse(written.error());
  });
}

exit_code export_private(const key_options& options) {
  return with_settings(options, [&](const engine::configuration& settings) {
    const auto form = form_of(options.form);
    if (!form)
      return refuse(form.error());
    const auto done = engine::export_key(settings, options.order.provider, options.order.name,
                                         *form, options.out);
    if (!done)
      return refuse(done.error());
    complain("note: " + printable(options.out, 512)
             + " holds the private key in clear; whoever reads it can open every password that was "
               "encrypted to it");
    return exit_code::done;
  });
}

exit_code remove(const key_options& options) {
  return with_settings(options, [&](const engine::configuration& settings) {
    const auto done = engine::remove_key(settings, options.order.provider, options.order.name);
    if (!done)
      return refuse(done.error());
    say("removed; passwords that were encrypted to this key can no longer be opened");
    return exit_code::done;
  });
}

// -- the command line ------

CLI::App* add_command(CLI::App& parent, const char* word, const char* sentence,
                      const shared_options& options) {
  auto* command = parent.add_subcommand(word, sentence);
  command->add_option("--config", options->configuration, "Configuration")->capture_default_str();
  return command;
}

CLI::App* add_named(CLI::App& parent, const char* word, const char* sentence,
                    const shared_options& options) {
  auto* command = add_command(parent, word, sentence, options);
  command
    ->add_option("--provider", options->order.provider,
                 "providerName, as the tool that imports PFX files names it")
    ->capture_default_str();
  command->add_option("--name", options->order.name, "keyName")->required();
  return command;
}

void add_properties(CLI::App& command, const shared_options& options) {
  command
    .add_option("--padding", options->order.paddings,
                "Allowed for decryption: oaepSha256, oaepSha384, oaepSha512, pkcs1; "
                "default: the three of OAEP")
    ->delimiter(',');
  command.add_flag("--exportable", options->order.exportable,
                   "The private key may be exported later");
}

void add_makers(CLI::App& parent, exit_code& code) {
  auto options = std::make_shared<key_options>();
  auto* command = add_named(parent, "create", "Make a key", options);
  command->add_option("--algorithm", options->algorithm, "rsa2048, rsa3072 or rsa4096")
    ->capture_default_str();
  add_properties(*command, options);
  command->footer(
    "A running engine uses it at once. Give its public half (key export-public) to whoever\n"
    "imports PFX files.\n\nExample:\n"
    "  pfxengine key create --name mail-2026 --algorithm rsa4096 --padding oaepSha512");
  command->callback([options, &code] { code = create(*options); });

  options = std::make_shared<key_options>();
  command = add_named(parent, "import", "Take over a private key from elsewhere", options);
  command
    ->add_option("--from", options->from,
                 "PEM (PKCS#8 or traditional), PKCS#8 DER or RSAFULLPRIVATEBLOB, not encrypted; "
                 "- reads stdin")
    ->required();
  add_properties(*command, options);
  command->footer("RSA of 2048 to 4096 bits. A name that exists is refused.\n\nExamples:\n"
                  "  pfxengine key import --name mail-2023 --from mail.blob\n"
                  "  openssl pkey -in mail.pem | pfxengine key import --name mail --from -");
  command->callback([options, &code] { code = import(*options); });
}

void add_readers(CLI::App& parent, exit_code& code) {
  auto options = std::make_shared<key_options>();
  auto* command = add_command(parent, "list", "List the keys", options);
  command->add_flag("--json", options->json, "One JSON object");
  command->footer("Example:\n  pfxengine key list --json");
  command->callback([options, &code] { code = list(*options); });

  options = std::make_shared<key_options>();
  command = add_named(parent, "show", "What is known of one key", options);
  command->add_flag("--json", options->json, "One JSON object");
  command->footer("Example:\n  pfxengine key show --name mail-2026");
  command->callback([options, &code] { code = show(*options); });

  options = std::make_shared<key_options>();
  command = add_named(parent, "export-public", "Write the public half", options);
  command
    ->add_option("--form", options->form,
                 "pem (SubjectPublicKeyInfo) or blob (RSAPUBLICBLOB of Windows)")
    ->capture_default_str();
  command->add_option("--out", options->out, "A new file; default for pem: stdout");
  command->footer(
    "Examples:\n  pfxengine key export-public --name mail-2026 > mail-2026.pem\n"
    "  pfxengine key export-public --name mail-2026 --form blob --out mail-2026.blob");
  command->callback([options, &code] { code = export_public(*options); });
}

void add_takers(CLI::App& parent, exit_code& code) {
  auto options = std::make_shared<key_options>();
  auto* command = add_named(parent, "export", "Write the private key, in clear", options);
  command
    ->add_option("--form", options->form,
                 "pem, pkcs8 (DER) or blob (RSAFULLPRIVATEBLOB of Windows)")
    ->capture_default_str();
  command->add_option("--out", options->out, "A new file, made with mode 0600")->required();
  command
    ->add_flag("--yes-export-the-private-key", options->sure, "Says that this is what is wanted")
    ->required();
  command->footer(
    "Only for keys that were made or imported with --exportable. The audit has it before the key\n"
    "leaves.\n\nExample:\n"
    "  pfxengine key export --name mail-2026 --out mail-2026.pem --yes-export-the-private-key");
  command->callback([options, &code] { code = export_private(*options); });

  options = std::make_shared<key_options>();
  command = add_named(parent, "remove", "Remove a key for good", options);
  command->add_flag("--yes-remove", options->sure, "Says that this is what is wanted")->required();
  command->footer(
    "PFX files whose passwords were encrypted to this key can no longer be opened; a\n"
    "running engine stops using it at once. There is no way back but a backup.\n\n"
    "Example:\n  pfxengine key remove --name mail-2023 --yes-remove");
  command->callback([options, &code] { code = remove(*options); });
}

} // namespace

void add_key(CLI::App& root, exit_code& code) {
  auto* command = root.add_subcommand("key", "Connector keys: what opens imported PFX files");
  command->require_subcommand(1);
  command->footer("Example:\n  pfxengine key create --name mail-2026");
  add_makers(*command, code);
  add_readers(*command, code);
  add_takers(*command, code);
}

} // namespace pfx::app
