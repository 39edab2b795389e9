// Follows the work that a page shows, where nothing else happens on it.

import { follow } from "./work.js";

follow();
