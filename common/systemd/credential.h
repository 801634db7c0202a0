// The service manager's copy of a file that only root may read (LoadCredential= of a unit). Any
// thread.
#pragma once

#include <string>

namespace headgate::systemd {

// Where this process finds the file `path`: in the folder of its credentials if one of that name
// lies there, else `path` itself.
std::string CredentialOr(const std::string& path);

}  // namespace headgate::systemd
