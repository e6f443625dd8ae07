/** What YAML 1.2's core schema can say. */
export type YamlScalar = null | boolean | number | string;
export type YamlMap = ReadonlyMap<YamlScalar, YamlValue>;
export type YamlValue = YamlScalar | readonly YamlValue[] | YamlMap;
