/** One address of a service. */
export interface ProxiedEndpoint {
  /** Whose it is, as audit entries name it. */
  id: string;
  /** As callers know it. */
  name: string;
  /** http:// or https://, with the path that everything is put behind. */
  url: string;
  /** How much it may be given beside others: above 0, at most 1. */
  weight: number;
}

/** Who answers for a service now: a registry of any kind. */
export interface EndpointSource {
  /**
   * The endpoints of a service; none when there is no such service, or nobody is up.
   * @throws SUBGRAPH_UNAVAILABLE when that cannot be told, and was not told before
   */
  endpointsOf(service: string): readonly ProxiedEndpoint[] | Promise<readonly ProxiedEndpoint[]>;
}
