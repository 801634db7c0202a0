#include "agents/haproxy/names.h"

#include "agents/core/snippet_words.h"

namespace headgate::haproxy {

std::string WaitBackendOf(const std::string& gate) { return agent::VariableOf(gate) + "_wait"; }

std::string KnownTableOf(const std::string& gate) { return agent::VariableOf(gate) + "_known"; }

std::string NewCookiesBackendOf(const std::string& gate) {
  return agent::VariableOf(gate) + "_new_cookies";
}

}  // namespace headgate::haproxy
