// Lets a child process require our TypeScript as it is, by the settings that jest uses.
const { transformFileSync } = require('@swc/core');
const options = require('../../swc.json');
require.extensions['.ts'] = (module, file) => {
  module._compile(transformFileSync(file, { ...options, swcrc: false, sourceMaps: false }).code, file);
};
