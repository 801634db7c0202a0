// `headgate-agent snippet …`: prints what is to be pasted, and makes the files that it needs. One
// thread.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "agents/haproxy/snippet.h"
#include "agents/nginx/snippet.h"

namespace headgate::agent {

struct SnippetFlags {
  haproxy::SnippetOptions haproxy;
  nginx::SnippetOptions nginx;
  std::string key = "cookie headgate_uid";
  std::vector<std::string> slow{"500ms"};
  // Of nginx: the page's file, and who nginx's workers are.
  std::string page_file;
  std::string group = "www-data";
  bool write = false;
  bool is_nginx = false;
};

void AddSnippet(CLI::App& app, SnippetFlags& flags);
// After parsing; returns the exit code.
int PrintSnippet(SnippetFlags flags);

}  // namespace headgate::agent
