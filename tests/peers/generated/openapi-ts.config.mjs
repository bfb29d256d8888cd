// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
// Of @hey-api/openapi-ts.
export default {
  input: "openapi.yaml",
  output: { path: "sdk", importFileExtension: ".js" },
  plugins: ["@hey-api/client-fetch", "@hey-api/typescript", "@hey-api/sdk"],
};
