/* global GraphiQL, React, ReactDOM */
(() => {
  const KEY = 'fleet-token';

  /** `#token=…` is what `start` prints: kept for this tab only, and taken out of the address. */
  function takeToken() {
    const given = new URLSearchParams(location.hash.slice(1)).get('token');
    if (given) {
      sessionStorage.setItem(KEY, given);
      history.replaceState(null, '', location.pathname + location.search);
    }
    return sessionStorage.getItem(KEY) ?? '';
  }

  function headersOf(token, given, accept) {
    const headers = { 'content-type': 'application/json', accept, ...given };
    return token ? { authorization: `Bearer ${token}`, ...headers } : headers;
  }

  function kindOf(documentAST, operationName) {
    const operations = (documentAST?.definitions ?? []).filter((node) => node.kind === 'OperationDefinition');
    const chosen = operations.find((node) => node.name?.value === operationName) ?? operations[0];
    return chosen?.operation ?? 'query';
  }

  /** Answers of a subscription as they come, each `next` event's data. */
  async function* events(response, stop) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    try {
      for (let step = await reader.read(); !step.done; step = await reader.read()) {
        text += step.value;
        const blocks = text.split('\n\n');
        text = blocks.pop();
        for (const block of blocks) {
          const lines = block.split('\n');
          if (lines.includes('event: complete')) return;
          const data = lines.find((line) => line.startsWith('data: '));
          if (data) yield JSON.parse(data.slice(6));
        }
      }
    } finally {
      stop.abort();
    }
  }

  function fetcherOf(token) {
    return async ({ query, operationName, variables }, { documentAST, headers } = {}) => {
      const isLive = kindOf(documentAST, operationName) === 'subscription';
      const accept = isLive ? 'text/event-stream' : 'application/graphql-response+json, application/json';
      const stop = new AbortController();
      const response = await fetch('graphql', {
        method: 'POST',
        headers: headersOf(token, headers, accept),
        body: JSON.stringify({ query, operationName, variables }),
        signal: stop.signal,
      });
      const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
      return isStream ? events(response, stop) : response.json();
    };
  }

  function TokenForm({ token, onToken }) {
    const [text, setText] = React.useState(token);
    const submit = (event) => {
      event.preventDefault();
      onToken(text.trim());
    };
    return React.createElement(
      'form',
      { className: 'token-form', onSubmit: submit },
      React.createElement('label', { htmlFor: 'token' }, 'Token'),
      React.createElement('input', {
        id: 'token',
        type: 'password',
        autoComplete: 'off',
        value: text,
        onChange: (event) => setText(event.target.value),
      }),
      React.createElement('button', { type: 'submit' }, 'Use'),
    );
  }

  function Explorer({ examples }) {
    const [token, setToken] = React.useState(takeToken);
    const fetcher = React.useMemo(() => fetcherOf(token), [token]);
    const keep = (next) => {
      sessionStorage.setItem(KEY, next);
      setToken(next);
    };
    React.useEffect(() => {
      const onHash = () => setToken(takeToken());
      addEventListener('hashchange', onHash);
      return () => removeEventListener('hashchange', onHash);
    }, []);
    return React.createElement(
      'div',
      { className: 'explorer' },
      React.createElement(TokenForm, { key: token, token, onToken: keep }),
      React.createElement(GraphiQL, {
        // A new token reads the schema anew.
        key: `graphiql ${token}`,
        fetcher,
        defaultTabs: examples.length > 0 ? examples : undefined,
        shouldPersistHeaders: false,
      }),
    );
  }

  async function main() {
    const response = await fetch('explorer/examples.json');
    const examples = response.ok ? await response.json() : [];
    ReactDOM.createRoot(document.getElementById('explorer')).render(React.createElement(Explorer, { examples }));
  }

  void main();
})();
