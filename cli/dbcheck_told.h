// What `dbcheck` found, for people and for programs. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "cli/database_check.h"
#include "cli/text.h"

namespace headgate::cli {

// Of all databases.
Sameness SamenessOf(const std::vector<CheckedDatabase>& databases);

Lines DbcheckText(const std::vector<CheckedDatabase>& databases, bool has_color);
// {"verdict": "different", "exit": 3, "databases": [{…, "differences": […], "findings": […]}]}.
std::string DbcheckJson(const std::vector<CheckedDatabase>& databases, int exit_code);

// "[####......] 43 %  public.orders  2150000 of about 5000000 rows, 12 s left".
std::string ProgressText(const database::ComparisonProgress& progress, Duration since,
                         bool has_bar);

}  // namespace headgate::cli
