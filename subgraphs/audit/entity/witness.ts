import { Field, ObjectType } from 'type-graphql';

@ObjectType({
  description: 'The newest checkpoint that witnesses have cosigned: nobody was shown another log than they saw.',
})
export class AuditCosigned {
  @Field({ description: 'Leaves in the tree; a decimal number.' })
  size!: string;

  @Field({ description: 'The tree’s root, base64.' })
  rootHash!: string;

  @Field({ description: 'The checkpoint with the lines of its witnesses (C2SP tlog-cosignature).' })
  signedNote!: string;

  @Field(() => [String], { description: 'Names of the witnesses whose lines it bears.' })
  witnesses!: string[];

  @Field({ description: 'When the last of them cosigned it.' })
  cosignedAt!: Date;
}

@ObjectType({ description: 'Another log, as this witness cosigned it last.' })
export class AuditWitnessedLog {
  @Field({ description: 'The log’s name.' })
  origin!: string;

  @Field({ description: 'Leaves in its tree; a decimal number.' })
  size!: string;

  @Field({ description: 'Its root, base64.' })
  rootHash!: string;

  @Field({ description: 'When it was cosigned.' })
  cosignedAt!: Date;
}

@ObjectType({ description: 'This instance as the witness of other logs (C2SP tlog-witness).' })
export class AuditWitness {
  @Field({ description: 'The key that it cosigns with: `name+id+key`, for those who verify.' })
  key!: string;

  @Field(() => [AuditWitnessedLog], { description: 'The logs that it has cosigned.' })
  logs!: AuditWitnessedLog[];
}
