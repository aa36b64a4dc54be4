package cgroup

import (
	"strconv"
	"strings"
)

// isID says whether a text is the id of a container as OCI runtimes make it: 64
// hexadecimal digits in lower case.
func isID(s string) bool { return len(s) == 64 && isHex(s) }

// isUID says whether a text is the UID of a pod: a UUID, or 32 digits for a static pod
// (the hash of its manifest).
func isUID(s string) bool {
	if len(s) == 32 {
		return isHex(s)
	}
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (s[i] == '-') || !dash && !isHex(s[i:i+1]) {
			return false
		}
	}
	return true
}

// isFargate says whether a text is "TASK-NUMBER", the task as 32 digits.
func isFargate(s string) bool {
	task, number, ok := strings.Cut(s, "-")
	return ok && len(task) == 32 && isHex(task) && isNumber(number)
}

func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdef") == "" && s != ""
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// unescape undoes what systemd-escape(1) does to names: "\x2d" is a dash.
func unescape(s string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, `\x`)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		s = after
		if len(after) >= 2 {
			if c, err := strconv.ParseUint(after[:2], 16, 8); err == nil {
				b.WriteByte(byte(c))
				s = after[2:]
				continue
			}
		}
		b.WriteString(`\x`)
	}
}
