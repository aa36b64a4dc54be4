package groups

import (
	"fmt"
	"slices"
	"strings"
)

// Find is the name that somebody means: the very one, NoName for things that have nothing
// of the kind, the only one that ends in "/" and the text, as executables do, or the only
// one that contains it.
func Find(text string, now Facts) (name string, ok bool) {
	if text == NoName {
		text = ""
	}
	for _, t := range now.Things {
		if slices.Contains(t.Groups, text) {
			return text, true
		}
	}
	near := Near(text, now)
	ends := slices.DeleteFunc(slices.Clone(near), func(name string) bool { return !strings.HasSuffix(name, "/"+text) })
	switch {
	case text == "":
	case len(ends) == 1:
		return ends[0], true
	case len(near) == 1:
		return near[0], true
	}
	return "", false
}

// suggestions bounds how many names are told to who asks for an unknown one.
const suggestions = 5

// Unknown says that there is no group of a name, and which are near.
func Unknown(by, name string, now Facts) string {
	text := fmt.Sprintf("there is no group %q by %s", None(name), by)
	if near := Near(name, now); name != "" && len(near) > 0 {
		text += "; did you mean " + strings.Join(near[:min(len(near), suggestions)], ", ") + "?"
	}
	return text
}

// Near are the names of groups that contain a text, in any case, sorted.
func Near(text string, now Facts) []string {
	var near []string
	for _, t := range now.Things {
		for _, name := range t.Groups {
			if name != "" && strings.Contains(strings.ToLower(name), strings.ToLower(text)) {
				near = append(near, name)
			}
		}
	}
	slices.Sort(near)
	return slices.Compact(near)
}
