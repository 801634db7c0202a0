// What an account may see, from what SHOW GRANTS says of it. Pure; any thread. Nothing of the
// answer is repeated but the account's name: it holds the hash of its password.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controller/database/statement.h"

namespace headgate::database {

// The GRANT that is missing for seeing the whole of these databases (empty: of all), or "".
std::string MissingGrants(const Rows& grants, const std::vector<std::string>& schemas,
                          const std::vector<std::string_view>& needed = {"SELECT", "TRIGGER",
                                                                         "SHOW VIEW"});

// 'headgate'@'%' of headgate@%, as GRANT takes it.
std::string MariaAccount(const std::string& user);

}  // namespace headgate::database
