package functions

import (
	"strings"
	"unicode"

	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/types"
	"cassini/manager/cypher/value"
)

// texts are functions on texts.
func texts() []Func {
	str := types.Of(types.String)
	list := []Func{
		{Name: "substring", Min: 2, Max: 3, Args: []types.Kinds{types.String, types.Integer}, Result: str, Eval: substring},
		{Name: "left", Min: 2, Max: 2, Args: []types.Kinds{types.String, types.Integer}, Result: str, Eval: left},
		{Name: "right", Min: 2, Max: 2, Args: []types.Kinds{types.String, types.Integer}, Result: str, Eval: right},
		{Name: "replace", Min: 3, Max: 3, Args: []types.Kinds{types.String}, Result: str, Eval: replace},
		{Name: "split", Min: 2, Max: 2, Args: []types.Kinds{types.String, types.String | types.List}, Result: types.ListOf(str), Eval: split},
	}
	for name, f := range map[string]func(string) string{
		"toLower": strings.ToLower, "lower": strings.ToLower, "toUpper": strings.ToUpper, "upper": strings.ToUpper,
		"trim":  strings.TrimSpace,
		"lTrim": func(s string) string { return strings.TrimLeftFunc(s, unicode.IsSpace) },
		"rTrim": func(s string) string { return strings.TrimRightFunc(s, unicode.IsSpace) },
	} {
		list = append(list, one(name, types.String, str, func(v value.Value) (value.Value, error) {
			s, ok := v.(string)
			if !ok {
				return nil, wrong(name, v)
			}
			return f(s), nil
		}))
	}
	return list
}

// letters are the arguments of a function that cuts texts: the text by characters,
// and numbers that are not negative.
func letters(name string, args []value.Value) (text []rune, n []int64, err error) {
	s, ok := args[0].(string)
	if !ok {
		return nil, nil, wrong(name, args[0])
	}
	for _, a := range args[1:] {
		i, ok := a.(int64)
		if !ok {
			return nil, nil, wrong(name, a)
		}
		if i < 0 {
			return nil, nil, issue.Raise(issue.Argument, "NumberOutOfRange", "%s() cannot use a negative number", name)
		}
		n = append(n, i)
	}
	return []rune(s), n, nil
}

func substring(_ *Env, args []value.Value) (value.Value, error) {
	text, n, err := letters("substring", args)
	if err != nil {
		return nil, err
	}
	rest := text[min(n[0], int64(len(text))):]
	if len(n) == 2 {
		rest = rest[:min(n[1], int64(len(rest)))]
	}
	return string(rest), nil
}

func left(_ *Env, args []value.Value) (value.Value, error) {
	text, n, err := letters("left", args)
	if err != nil {
		return nil, err
	}
	return string(text[:min(n[0], int64(len(text)))]), nil
}

func right(_ *Env, args []value.Value) (value.Value, error) {
	text, n, err := letters("right", args)
	if err != nil {
		return nil, err
	}
	return string(text[int64(len(text))-min(n[0], int64(len(text))):]), nil
}

func replace(env *Env, args []value.Value) (value.Value, error) {
	var s [3]string
	for i, a := range args {
		var ok bool
		if s[i], ok = a.(string); !ok {
			return nil, wrong("replace", a)
		}
	}
	if grown := int64(strings.Count(s[0], s[1])) * int64(len(s[2])); grown > env.MaxSize {
		return nil, issue.Raise(issue.Limit, "MemoryLimit", "replace() would make a text that is too large for the memory that a query may use")
	}
	return strings.ReplaceAll(s[0], s[1], s[2]), nil
}

func split(env *Env, args []value.Value) (value.Value, error) {
	s, ok := args[0].(string)
	if !ok {
		return nil, wrong("split", args[0])
	}
	by, ok := args[1].(string)
	if !ok {
		return nil, wrong("split", args[1])
	}
	if parts := int64(strings.Count(s, by)); parts > env.MaxSize/32 {
		return nil, issue.Raise(issue.Limit, "MemoryLimit", "split() would make too many parts for the memory that a query may use")
	}
	return textList(strings.Split(s, by)), nil
}
