const { default: TestRunner } = require('jest-runner');

/**
 * One test file after the other in the same two processes: what is read and looked up for one is there for the next. Where
 * coverage is collected a process keeps every script of every file, and each file takes longer than the one before: it is
 * changed after a few.
 */
module.exports = class SharedProcesses extends TestRunner {
  constructor(globalConfig, context) {
    super({ ...globalConfig, workerIdleMemoryLimit: globalConfig.collectCoverage ? 400e6 : 1500e6 }, context);
  }
};
