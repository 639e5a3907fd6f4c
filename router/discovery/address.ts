import { z } from 'zod';

/** Where a replica is called: http://host:port/path. */
export const ADDRESS = z
  .string()
  .max(500)
  .regex(/^https?:\/\/[^/]/, 'expected http://host:port/path')
  .refine((url) => URL.canParse(url), 'expected http://host:port/path');
