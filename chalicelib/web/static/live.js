// Live fragments by WebSocket.
"use strict";
