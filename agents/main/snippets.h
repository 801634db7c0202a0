// `headgate-agent snippet …`: prints what is to be pasted, and makes the files that it needs. One
// thread.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "agents/endpoint/snippet.h"
#include "agents/envoy/asking_snippet.h"
#include "agents/envoy/snippet.h"
#include "agents/haproxy/snippet.h"
#include "agents/nginx/snippet.h"

namespace headgate::agent {

struct SnippetFlags {
  haproxy::SnippetOptions haproxy;
  nginx::SnippetOptions nginx;
  // Of those that ask the endpoint, and which one: "nginx-auth-request", "caddy" or
  // "envoy-ext-authz".
  endpoint::SnippetOptions endpoint;
  std::string asks;
  std::string listen;
  std::string on_agent_failure = "static";
  envoy::SnippetOptions envoy;
  envoy::AskingOptions asking_envoy;
  std::string key = "cookie headgate_uid";
  std::vector<std::string> slow{"500ms"};
  // Of pages of the operator's own: "de=FILE" or "FILE".
  std::vector<std::string> page_files;
  std::string language = kLanguageDefault;
  // Of nginx: who its workers are.
  std::string group = "www-data";
  // What a share that is made admits, until the gate exists or a directive comes.
  std::string bootstrap_share = "100%";
  bool write = false;
  bool is_nginx = false;
  bool is_envoy = false;
};

void AddSnippet(CLI::App& app, SnippetFlags& flags);
// After parsing; returns the exit code.
int PrintSnippet(SnippetFlags flags);

}  // namespace headgate::agent
