package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// DefaultPath is the configuration file that is read when none is named.
const DefaultPath = "/etc/cassini/cassini.yaml"

// maxFileSize bounds what is read of a configuration file.
const maxFileSize = 1 << 20

// Setting is one value of a configuration file, or a list of them.
type Setting struct {
	Value string
	List  []string // nil for one value
	Line  int
}

// File is the content of a configuration file by key. The zero File has none.
type File struct {
	Path     string
	Settings map[string]Setting
}

// ReadFile reads a configuration file that may hold the given keys. An unknown
// key is an error that names it, the file and the line. A file that is optional
// may be absent.
func ReadFile(path string, optional bool, keys []string) (File, error) {
	f, err := os.Open(path)
	if optional && errors.Is(err, fs.ErrNotExist) {
		return File{}, nil
	}
	if err != nil {
		return File{}, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return File{}, fmt.Errorf("read configuration: %w", err)
	}
	return parse(path, data, keys)
}

// parse decodes the content of a configuration file.
func parse(path string, data []byte, keys []string) (File, error) {
	file := File{Path: path, Settings: map[string]Setting{}}
	if len(data) > maxFileSize {
		return file, fmt.Errorf("%s: has more than %d bytes; is this a configuration file?", path, maxFileSize)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var root, more yaml.Node
	if err := decoder.Decode(&root); errors.Is(err, io.EOF) {
		return file, nil
	} else if err != nil {
		return file, yamlError(path, err)
	}
	if err := decoder.Decode(&more); err == nil {
		return file, fmt.Errorf("%s:%d: a second document; only one is allowed", path, more.Line)
	} else if !errors.Is(err, io.EOF) {
		return file, yamlError(path, err)
	}
	return file, file.fill(root.Content[0], keys)
}

func (f *File) fill(root *yaml.Node, keys []string) error {
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil
	}
	if root.Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: want lines of 'key: value'", f.Path, root.Line)
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if err := f.add(root.Content[i], root.Content[i+1], keys); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) add(key, value *yaml.Node, keys []string) error {
	earlier, twice := f.Settings[key.Value]
	switch {
	case key.Kind != yaml.ScalarNode || !slices.Contains(keys, key.Value):
		return fmt.Errorf("%s:%d: unknown key %q; %s", f.Path, key.Line, key.Value, suggest(key.Value, keys))
	case twice:
		return fmt.Errorf("%s:%d: key %q again, it is already in line %d", f.Path, key.Line, key.Value, earlier.Line)
	}
	setting, ok := settingOf(value)
	if !ok {
		return fmt.Errorf("%s:%d: key %q wants one value", f.Path, key.Line, key.Value)
	}
	setting.Line = key.Line
	f.Settings[key.Value] = setting
	return nil
}

// settingOf is one value, or a list of such.
func settingOf(value *yaml.Node) (s Setting, ok bool) {
	if value.Kind == yaml.ScalarNode {
		return Setting{Value: value.Value}, value.Tag != "!!null"
	}
	if value.Kind != yaml.SequenceNode || len(value.Content) == 0 {
		return s, false
	}
	for _, item := range value.Content {
		if item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
			return s, false
		}
		s.List = append(s.List, item.Value)
	}
	return s, true
}

// yamlError puts the file in front of an error of the YAML parser, on one line.
func yamlError(path string, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	return fmt.Errorf("%s: not valid YAML: %s", path, strings.ReplaceAll(text, "\n", " "))
}
