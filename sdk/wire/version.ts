/** The version of this SDK, told with every request in the header `fleetgraph-sdk`. */
export const SDK = 'ts/1.1.0';
