// What the snippet calls a gate's own sections, by which the agent finds them. Pure: any thread.
#pragma once

#include <string>

namespace headgate::haproxy {

std::string WaitBackendOf(const std::string& gate);
// The table of cookies that were verified lately: cleared when the keys change.
std::string KnownTableOf(const std::string& gate);
// Answers those who are refused a new cookie; its table counts the new ones of each address.
std::string NewCookiesBackendOf(const std::string& gate);

}  // namespace headgate::haproxy
