const { default: TestRunner } = require('jest-runner');

/**
 * One test file after the other in the same two processes: what is read and looked up for one is there for the next. Not where
 * coverage is collected: a process then keeps every script of every file, and each file takes longer than the one before.
 */
module.exports = class SharedProcesses extends TestRunner {
  constructor(globalConfig, context) {
    super(globalConfig.collectCoverage ? globalConfig : { ...globalConfig, workerIdleMemoryLimit: 1500e6 }, context);
  }
};
