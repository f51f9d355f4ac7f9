/** A computation thread that dies before it is ready. */
throw new Error('no such key');
