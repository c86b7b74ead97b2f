// Keys, drafts, times and answers of the desk.  Every screen works without it.
"use strict";
document.documentElement.classList.add("js");
