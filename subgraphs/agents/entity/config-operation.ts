import { Field, Float, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { SCALARS } from '../../../lib/graphql/scalars.ts';

export enum ConfigOperationKind {
  RENAME = 'RENAME',
  MOVE = 'MOVE',
  SET_DEFAULT = 'SET_DEFAULT',
  REMOVE = 'REMOVE',
  MAP_VALUES = 'MAP_VALUES',
  WRAP = 'WRAP',
  UNWRAP = 'UNWRAP',
  CONVERT = 'CONVERT',
  SCALE = 'SCALE',
}
registerEnumType(ConfigOperationKind, {
  name: 'ConfigOperationKind',
  description: 'One step from a version’s configuration to the next one’s. Each has an exact inverse.',
  valuesConfig: {
    RENAME: { description: 'Gives what is at `path` the name `name`; its contrary gives the old one back.' },
    MOVE: { description: 'Moves what is at `path` to the path `to`.' },
    SET_DEFAULT: { description: 'Puts `value` at `path`, where nothing may be; its contrary is REMOVE.' },
    REMOVE: { description: 'Takes `value` from `path`; any other value there would be lost and is refused.' },
    MAP_VALUES: { description: 'Changes the value at `path` by the pairs in `values`; others stay.' },
    WRAP: { description: 'Puts what is at `path` into an object under `name`, or into a list of one without a name.' },
    UNWRAP: { description: 'The contrary of WRAP.' },
    CONVERT: { description: 'Makes what is at `path` of the type `type`: string, number or boolean.' },
    SCALE: { description: 'Multiplies the number at `path` by `factor`, e.g. 1000 from seconds to milliseconds.' },
  },
});

@ObjectType({ description: 'A value, and what becomes of it.' })
@InputType('ConfigValueInput', { description: 'A value, and what becomes of it.' })
export class ConfigValue {
  @Field(() => SCALARS.JSON, { description: 'The value in the older version.' })
  from!: unknown;

  @Field(() => SCALARS.JSON, { description: 'The value in the newer one.' })
  to!: unknown;
}

@ObjectType({ description: 'One step from a version’s configuration to the next one’s.' })
@InputType('ConfigOperationInput', { description: 'One step from a version’s configuration to the next one’s.' })
export class ConfigOperation {
  @Field(() => ConfigOperationKind, { description: 'What is done.' })
  kind!: ConfigOperationKind;

  @Field({ description: 'JSON pointer to what it is done to, such as /model/name; where nothing is, nothing is done.' })
  path!: string;

  @Field(() => String, { nullable: true, description: 'MOVE: JSON pointer to where it goes.' })
  to?: string | null;

  @Field(() => String, { nullable: true, description: 'RENAME, WRAP, UNWRAP: a name.' })
  name?: string | null;

  @Field(() => SCALARS.JSON, { nullable: true, description: 'SET_DEFAULT, REMOVE: the value.' })
  value?: unknown;

  @Field(() => [ConfigValue], { nullable: true, description: 'MAP_VALUES: at most 100 pairs.' })
  values?: ConfigValue[] | null;

  @Field(() => String, { nullable: true, description: 'CONVERT: string, number or boolean.' })
  type?: string | null;

  @Field(() => String, { nullable: true, description: 'CONVERT: the type it has before: string, number or boolean.' })
  fromType?: string | null;

  @Field(() => Float, { nullable: true, description: 'SCALE: not 0.' })
  factor?: number | null;
}
