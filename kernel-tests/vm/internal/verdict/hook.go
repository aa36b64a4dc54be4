package verdict

import (
	"strconv"
	"strings"
)

const hookPrefix = "CASSINI-HOOK "

// parseHook reads `CASSINI-HOOK fact="tcp connect" hook=tp_btf/x` wherever it
// stands in a line; values are Go strings or plain words. It returns nil for any
// other line.
func parseHook(line string) Hook {
	_, rest, ok := strings.Cut(line, hookPrefix)
	if !ok {
		return nil
	}
	hook := Hook{}
	for {
		key, value, ok := strings.Cut(strings.TrimLeft(rest, " "), "=")
		if !ok || key == "" || strings.ContainsAny(key, " \"") {
			break
		}
		if quoted, err := strconv.QuotedPrefix(value); err == nil {
			rest = value[len(quoted):]
			hook[key], _ = strconv.Unquote(quoted) // QuotedPrefix has checked it
			continue
		}
		hook[key], rest, _ = strings.Cut(value, " ")
	}
	if hook["fact"] == "" {
		return nil
	}
	return hook
}
