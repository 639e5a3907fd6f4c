export { checkedAddress, isPublicAddress, type Reach } from './address.ts';
export { type PostOptions, postOnce } from './post.ts';
export { webhookHeaders } from './signature.ts';
