// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT

// Renders a Helm chart as far as ours needs it: Go's templates, sprig, and Helm's include, toYaml, toJson and .Files.Get.
// Helm itself is not packaged by Debian; this finds the templates' mistakes all the same.
//
//	render CHART VALUES.json    values that replace the chart's own, member by member at the first level
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

type files string

func (folder files) Get(name string) string {
	return string(read(filepath.Join(string(folder), name)))
}

func read(path string) []byte {
	content, err := os.ReadFile(path)
	must(err)
	return content
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func values(chart, overrides string) map[string]interface{} {
	all := map[string]interface{}{}
	must(yaml.Unmarshal(read(filepath.Join(chart, "values.yaml")), &all))
	changes := map[string]interface{}{}
	must(json.Unmarshal([]byte(overrides), &changes))
	for name, value := range changes {
		all[name] = value
	}
	return all
}

func main() {
	chart := os.Args[1]
	meta := map[string]interface{}{}
	must(yaml.Unmarshal(read(filepath.Join(chart, "Chart.yaml")), &meta))
	about := map[string]interface{}{}
	for name, value := range meta { // Helm's are fields: Name, AppVersion
		about[strings.ToUpper(name[:1])+name[1:]] = value
	}
	top := map[string]interface{}{
		"Chart":   about,
		"Values":  values(chart, os.Args[2]),
		"Release": map[string]interface{}{"Name": "test", "Namespace": "default", "Service": "Helm"},
		"Files":   files(chart),
	}
	all := template.New("").Option("missingkey=error")
	functions := sprig.TxtFuncMap()
	functions["include"] = func(name string, data interface{}) (string, error) {
		var out bytes.Buffer
		err := all.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	functions["toYaml"] = func(value interface{}) (string, error) {
		out, err := yaml.Marshal(value)
		return strings.TrimSuffix(string(out), "\n"), err
	}
	all.Funcs(functions)
	paths, err := filepath.Glob(filepath.Join(chart, "templates", "*"))
	must(err)
	for _, path := range paths {
		template.Must(all.New(filepath.Base(path)).Parse(string(read(path))))
	}
	for _, path := range paths {
		if filepath.Ext(path) == ".yaml" {
			fmt.Println("---")
			must(all.ExecuteTemplate(os.Stdout, filepath.Base(path), top))
		}
	}
	must(all.ExecuteTemplate(new(bytes.Buffer), "NOTES.txt", top))
}
